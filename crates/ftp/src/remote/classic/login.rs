//! The login, and what is settled with it: what the server offers, and how data travels.

use secrecy::ExposeSecret;
use suppaftp::Mode;
use suppaftp::types::FileType;

use super::connect::Door;
use super::keep::Modes;
use super::offers::Offers;
use super::{Classic, Disk, Login, steadily, words};
use crate::failure::Failure;

impl Classic {
    /// A session whose login goes before the first command.
    pub(in crate::remote) fn log_in(door: Door, login: Login) -> Classic {
        let Door { ftp, keys, settings, host, .. } = door;
        Classic {
            ftp,
            keys,
            settings,
            host,
            login: Some(login),
            offers: Offers::default(),
            settled: false,
            listing: None,
            unsaid: 0,
            walk: None,
            modes: Modes::default(),
            hashes_with_md5: false,
            unkept: 0,
            busy: false,
            lost: false,
            disk: Disk::default(),
        }
    }

    /// Logs in, unless that is done.
    pub(in crate::remote) async fn ready(&mut self) -> Result<(), Failure> {
        let Some(Login { user, password }) = self.login.take() else { return Ok(()) };
        let entered = self.enter(&user, password.expose_secret()).await;
        if entered.is_err() {
            self.lost = true;
        }
        entered
    }

    async fn enter(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        let mut answer = self.ask(&format!("USER {user}")).await?;
        if answer.code == words::PASSWORD_NEEDED {
            answer = self.ask(&format!("PASS {password}")).await?;
        }
        if !answer.is_done() {
            return Err(words::no_login(user, &answer));
        }
        let features = self.ask("FEAT").await?;
        self.offers = if features.is_done() { Offers::read(&features.lines) } else { Offers::default() };
        if self.offers.utf8 {
            let _as_it_likes = self.ask("OPTS UTF8 ON").await?; // most speak it anyway, and some know no such option
        }
        if self.offers.hides_modes {
            let _or_not = self.ask("OPTS MLST type;size;modify;UNIX.mode;").await?;
        }
        self.ftp.set_passive_nat_workaround(true); // PASV, too, leads to the address of the control connection
        self.ftp.set_mode(Mode::ExtendedPassive);
        let (busy, patience) = (&mut self.busy, self.settings.timeout);
        let binary = steadily(busy, patience, self.ftp.transfer_type(FileType::Binary)).await;
        self.told(binary).map_err(words::refused_outright)
    }
}
