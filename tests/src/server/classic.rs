//! The classic door of a server: what users.toml says of it, and where it listens.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Builder, Server};

/// `[classic]`, as a test wants it.
#[derive(Debug, Default)]
pub(super) struct Classic {
    implicit: bool,
    required: bool,
    anonymous: bool,
    v6: bool,
    resumption: bool,
    passive_ports: Option<&'static str>,
}

impl Classic {
    /// Its lines in users.toml, where `address` has the port that is free.
    pub(super) fn users_toml(&self, address: SocketAddr) -> String {
        let v6 = if self.v6 { ", \"[::1]:0\"" } else { "" };
        let tls = if self.required { "required" } else { "offered" };
        let mut text = format!("\n[classic]\nlisten = [\"{address}\"{v6}]\ntls = \"{tls}\"\n");
        if self.implicit {
            writeln!(text, "implicit = [\"{address}\"]").unwrap();
        }
        if self.resumption {
            text += "resumption = \"required\"\n";
        }
        if let Some(ports) = self.passive_ports {
            writeln!(text, "passive_ports = \"{ports}\"").unwrap();
        }
        if self.anonymous {
            text += "\n[users.anonymous]\nhome = \"homes/anonymous\"\naccess = \"read\"\n";
        }
        text
    }
}

impl Builder {
    /// Has it open the classic door, too: TLS is offered, nobody is anonymous, data connections come to any port that is free.
    pub fn classic(mut self) -> Builder {
        self.classic.get_or_insert_default();
        self
    }

    /// Has the classic door listen where sessions begin with a handshake, too.
    pub fn implicit(mut self) -> Builder {
        self.classic.get_or_insert_default().implicit = true;
        self
    }

    /// Has the classic door take passwords under TLS alone, save from the loopback network.
    pub fn required(mut self) -> Builder {
        self.classic.get_or_insert_default().required = true;
        self
    }

    /// Has everybody read `homes/anonymous`, without a password.
    pub fn anonymous(mut self) -> Builder {
        self.classic.get_or_insert_default().anonymous = true;
        self
    }

    /// Has data connections resume the TLS session of their control connection, or be refused.
    pub fn resumption(mut self) -> Builder {
        self.classic.get_or_insert_default().resumption = true;
        self
    }

    /// Has passive data connections come to these ports: `2122-2141`.
    pub fn passive_ports(mut self, ports: &'static str) -> Builder {
        self.classic.get_or_insert_default().passive_ports = Some(ports);
        self
    }

    /// Has the classic door listen at `::1`, too.
    pub fn v6(mut self) -> Builder {
        self.classic.get_or_insert_default().v6 = true;
        self
    }
}

impl Server {
    /// Where sessions of the classic door begin in the clear.
    #[track_caller]
    pub fn classic_address(&self) -> SocketAddr {
        self.classic();
        self.listens(2)
    }

    /// The same at `::1`.
    #[track_caller]
    pub fn v6_address(&self) -> SocketAddr {
        assert!(self.classic().v6, "Builder::v6 adds it");
        self.listens(3)
    }

    /// Where they begin with a handshake.
    #[track_caller]
    pub fn implicit_address(&self) -> SocketAddr {
        assert!(self.classic().implicit, "Builder::implicit adds it");
        self.listens(if self.classic().v6 { 4 } else { 3 })
    }

    /// Its certificate, by its own signature for `localhost`.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("state/certificate.pem")
    }

    #[track_caller]
    fn classic(&self) -> &Classic {
        self.builder.classic.as_ref().expect("Builder::classic adds the door")
    }
}
