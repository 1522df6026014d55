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
            (Some(_), Place::Known { path, .. }) => path.clone(),
            (Some(inside), Place::Unasked | Place::Asked) => match self.stat(&bring.to).await {
                Ok(entry) if entry.kind == EntryKind::Directory => inside.path.clone(),
                Err(failure) if failure.is_final() => return Err(failure),
                // A link may lead to one, and who may see nothing may go there.
                Ok(entry) if entry.kind == EntryKind::Link && self.is_directory(&bring.to).await? => {
                    inside.path.clone()
                }
                Err(failure) if failure.code == Code::Denied && self.is_directory(&bring.to).await? => {
                    inside.path.clone()
                }
                _ => bring.to.clone(),
            },
        };
        if bring.inside.is_some() {
            account.left.place = Place::Known { path: to.clone(), made: false };
        }
        Ok(Bring { to, inside: None, ..bring.clone() })
    }
}
