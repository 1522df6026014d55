//! Where a tree goes: into a directory that is there, or to its place.

use store::EntryKind;

use super::super::Classic;
use crate::failure::{Code, Failure};
use crate::remote::tree::{Account, Bring, Place};

impl Classic {
    /// What is to be brought, to where it goes.
    pub(super) async fn placed(
        &mut self,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<Bring, Failure> {
        let to = match (&bring.inside, &account.left.place) {
            (None, _) => bring.to.clone(),
            (Some(_), Place::Known(to, _)) => to.clone(),
            (Some(inside), _) => match self.stat(&bring.to).await {
                Ok(entry) if entry.kind == EntryKind::Directory => inside.path.clone(),
                Err(failure) if failure.is_final() => return Err(failure),
                // Who may see nothing may go there.
                Err(failure)
                    if failure.code == Code::Denied && self.leads_to_a_directory(&bring.to).await? =>
                {
                    inside.path.clone()
                }
                _ => bring.to.clone(),
            },
        };
        account.left.place = Place::Known(to.clone(), false);
        Ok(Bring { to, inside: None, ..bring.clone() })
    }

    async fn leads_to_a_directory(&mut self, path: &str) -> Result<bool, Failure> {
        let origin = self.pwd().await?;
        match self.cd(path).await {
            Ok(_) => self.cd(&origin).await.map(|_| true),
            Err(failure) if failure.is_final() => Err(failure),
            Err(_) => Ok(false),
        }
    }
}
