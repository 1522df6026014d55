//! What may come when: pure, so that every order of commands can be tried. State and command in, a verdict and the next state out.
//!
//! ```text
//!            AUTH TLS                USER              PASS
//! open ───────────────▶ secured ─────────────▶ named ───────────▶ inside
//!   └──────── USER, where passwords may go in the clear ──▲   REIN ──▶ open
//! ```

use std::ops::Range;

use super::command::{Command, Hash, Type};
use super::reply::Reply;

/// Who is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Login {
    #[default]
    Nobody,
    /// USER came, and PASS must follow.
    Named(Vec<u8>),
    /// Logged in.
    Inside,
}

/// What the server asks of this peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Password and files may go in the clear.
    pub(super) clear: bool,
}

/// What the commands so far have set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) login: Login,
    /// It began with TLS.
    implicit: bool,
    /// The control connection is under TLS.
    pub(super) secured: bool,
    /// PBSZ came.
    sized: bool,
    /// PROT P: so are data connections.
    pub(super) private: bool,
    pub(super) kind: Type,
    pub(super) hash: Hash,
    /// What RNFR named, if that came last; RNTO takes it.
    pub(super) rename: Option<Vec<u8>>,
    /// REST: where the next transfer begins.
    pub(super) restart: u64,
    /// RANG.
    pub(super) range: Option<Range<u64>>,
    /// Bytes that the next upload has, so ALLO said.
    pub(super) announced: u64,
    /// EPSV ALL: no other way to open data connections (RFC 2428, 4).
    extended_only: bool,
}

impl State {
    /// Of a connection that is there; `implicit` if it began with TLS.
    pub(super) fn new(implicit: bool) -> State {
        State {
            login: Login::Nobody,
            implicit,
            secured: implicit,
            sized: false,
            private: implicit, // who speaks TLS without asking means all of it
            kind: Type::Ascii, // RFC 959, 3.1.1.1
            hash: Hash::Md5,
            rename: None,
            restart: 0,
            range: None,
            announced: 0,
            extended_only: false,
        }
    }

    /// The same connection with nobody there, `secured` or as it was.
    pub(super) fn anew(&self, secured: bool) -> State {
        State { secured: self.secured || secured, ..State::new(self.implicit) }
    }

    /// Whether `command` may come now; what it only sets is set.
    pub(super) fn judge(&mut self, command: &Command, rules: Rules) -> Result<(), Reply> {
        let renaming = self.rename.take();
        match command {
            Command::Quit
            | Command::Noop
            | Command::Help
            | Command::SiteHelp
            | Command::Feat
            | Command::Syst => {}
            Command::Utf8
            | Command::MlstFacts
            | Command::Clnt
            | Command::Lang
            | Command::AsItIs
            | Command::Rein => {}
            Command::Abor | Command::Status => {}
            Command::UseHash(hash) => self.hash = hash.unwrap_or(self.hash),
            Command::Host => {
                if self.login != Login::Nobody {
                    return refuse(503, "HOST comes before USER.");
                }
            }
            Command::Auth => match self.login {
                _ if self.secured => return refuse(503, "TLS is there already."),
                Login::Inside => return refuse(503, "AUTH comes before USER; REIN takes the login back."),
                _ => {}
            },
            Command::Pbsz if self.secured => self.sized = true,
            Command::Prot(private) if self.secured && self.sized => {
                if !private && !rules.clear {
                    return refuse(534, "Files do not go in the clear here: PROT P.");
                }
                self.private = *private;
            }
            Command::Pbsz => return refuse(503, "TLS comes first: AUTH TLS."),
            Command::Prot(_) if self.secured => return refuse(503, "PBSZ comes first: PBSZ 0."),
            Command::Prot(_) => return refuse(503, "TLS comes first: AUTH TLS, then PBSZ 0."),
            Command::Ccc => return refuse(534, "The control connection stays under TLS, or never was."),
            Command::User(name) => {
                if self.login == Login::Inside {
                    return refuse(503, "Somebody is logged in already; REIN takes that back.");
                }
                self.login = Login::Nobody;
                if !self.secured && !rules.clear {
                    return refuse(530, "Passwords do not go in the clear here: AUTH TLS first.");
                }
                self.login = Login::Named(name.clone());
            }
            Command::Pass(_) => {
                if !matches!(self.login, Login::Named(_)) {
                    return refuse(503, "USER comes first.");
                }
            }
            _ if self.login != Login::Inside => return refuse(530, "Log in first: USER and PASS."),
            Command::Acct
            | Command::Pwd
            | Command::Cwd(_)
            | Command::Cdup
            | Command::StatusOf(_)
            | Command::Mlst(_) => {}
            Command::Mdtm(_)
            | Command::Mfmt(..)
            | Command::Chmod(..)
            | Command::Avbl(_)
            | Command::HashAs(..) => {}
            Command::Dele(_) | Command::Mkd(_) | Command::Rmd(_) | Command::Hash(_) => {}
            Command::Size(_) => {
                if self.kind == Type::Ascii {
                    // RFC 3659, 4: to tell it, the whole file would have to be read.
                    return refuse(
                        550,
                        "The size of a file sent as lines is not known before: TYPE I first.",
                    );
                }
            }
            Command::Type(kind) => self.kind = *kind,
            Command::Allo(bytes) => self.announced = *bytes,
            Command::Rest(at) => {
                if *at > 0 && self.kind == Type::Ascii {
                    return refuse(550, "Lines have no byte to begin at: TYPE I first.");
                }
                (self.restart, self.range) = (*at, None);
            }
            Command::Rang(range) => {
                if self.kind == Type::Ascii {
                    return refuse(550, "Lines have no bytes to count: TYPE I first.");
                }
                (self.range, self.restart) = (range.clone(), 0);
            }
            Command::Rnfr(path) => self.rename = Some(path.clone()),
            Command::Rnto(_) => match renaming {
                Some(from) => self.rename = Some(from),
                None => return refuse(503, "RNFR comes first."),
            },
            Command::Port(_) | Command::Pasv if self.extended_only => {
                return refuse(503, "EPSV ALL was said: only EPSV opens data connections.");
            }
            Command::EpsvAll => self.extended_only = true,
            Command::Port(_) | Command::Pasv | Command::Epsv(_) => {}
            Command::Retr(_) | Command::Stor(..) | Command::List(..) => {
                if !self.private && !rules.clear {
                    return refuse(521, "Files do not go in the clear here: PBSZ 0, then PROT P.");
                }
                if self.range.is_some() && matches!(command, Command::Stor(..)) {
                    return refuse(550, "Only RETR and HASH know ranges: RANG 1 0 takes it back.");
                }
            }
        }
        Ok(())
    }

    /// What a transfer uses up: where it begins, and what was announced.
    pub(super) fn take_range(&mut self) -> Range<u64> {
        let from = std::mem::take(&mut self.restart);
        self.range.take().unwrap_or(from..u64::MAX)
    }
}

fn refuse(code: u16, text: &str) -> Result<(), Reply> {
    Err(Reply::new(code, text))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const CLEAR: Rules = Rules { clear: true };
    const STRICT: Rules = Rules { clear: false };

    /// The code that refuses each line, 0 for none; PASS lets in, AUTH secures.
    fn codes(rules: Rules, lines: &[&str]) -> Vec<u16> {
        let mut state = State::new(false);
        let mut judged = |line: &&str| {
            let command = parse::command(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error:?}"));
            let verdict = state.judge(&command, rules);
            match (&verdict, command) {
                (Ok(()), Command::Pass(_)) => state.login = Login::Inside,
                (Ok(()), Command::Auth) => state.secured = true,
                (Ok(()), Command::Rnto(_)) => drop(state.rename.take()),
                _ => {}
            }
            verdict.map_or_else(|reply| reply.code, |()| 0)
        };
        lines.iter().map(&mut judged).collect()
    }

    #[test]
    fn nothing_of_the_home_is_told_before_the_login() {
        for line in [
            "PWD", "LIST", "RETR x", "STOR x", "CWD x", "DELE x", "PASV", "REST 5", "TYPE I", "STAT x",
            "HASH x", "MLST",
        ] {
            assert_eq!(codes(CLEAR, &[line]), [530], "{line}");
            assert_eq!(codes(CLEAR, &["USER a", line]), [0, 530], "{line}");
        }
        for line in
            ["FEAT", "HELP", "SYST", "NOOP", "QUIT", "STAT", "OPTS UTF8 ON", "HOST x", "LANG EN", "CLNT x"]
        {
            assert_eq!(codes(STRICT, &[line]), [0], "{line}");
        }
    }

    #[test]
    fn passwords_and_files_do_not_go_in_the_clear_where_they_must_not() {
        assert_eq!(codes(STRICT, &["USER a", "PASS b"]), [530, 503]);
        assert_eq!(codes(STRICT, &["AUTH TLS", "USER a", "PASS b", "LIST"]), [0, 0, 0, 521]);
        let all = ["AUTH TLS", "PBSZ 0", "PROT P", "USER a", "PASS b", "LIST", "PROT C", "LIST"];
        assert_eq!(codes(STRICT, &all), [0, 0, 0, 0, 0, 0, 534, 0]);
        assert_eq!(
            codes(CLEAR, &["PBSZ 0", "PROT P", "AUTH TLS", "PROT P", "AUTH TLS"]),
            [503, 503, 0, 503, 503]
        );
        assert_eq!(codes(CLEAR, &["USER a", "PASS b", "AUTH TLS", "CCC"]), [0, 0, 503, 534]);
    }

    #[test]
    fn what_belongs_together_comes_together() {
        let inside = ["USER a", "PASS b"];
        let after = |more: &[&str]| codes(CLEAR, &[&inside[..], more].concat())[2..].to_vec();
        assert_eq!(after(&["RNTO x"]), [503]);
        assert_eq!(after(&["RNFR x", "RNTO y", "RNTO z"]), [0, 0, 503]);
        assert_eq!(after(&["RNFR x", "NOOP", "RNTO y"]), [0, 0, 503]);
        assert_eq!(after(&["PASS b", "USER c"]), [503, 503]);
        assert_eq!(after(&["SIZE x", "TYPE I", "SIZE x"]), [550, 0, 0]);
        assert_eq!(after(&["REST 5", "REST 0", "TYPE I", "REST 5"]), [550, 0, 0, 0]);
        assert_eq!(after(&["EPSV ALL", "PASV", "PORT 127,0,0,1,9,9", "EPSV"]), [0, 503, 503, 0]);
        assert_eq!(after(&["TYPE I", "RANG 0 9", "STOR x", "RANG 1 0", "STOR x"]), [0, 0, 550, 0, 0]);
    }

    #[test]
    fn a_transfer_uses_up_where_it_begins() {
        let mut state = State::new(false);
        state.restart = 7;
        assert_eq!(state.take_range(), 7..u64::MAX);
        assert_eq!(state.take_range(), 0..u64::MAX);
        state.range = Some(2..4);
        assert_eq!(state.take_range(), 2..4);
    }
}
