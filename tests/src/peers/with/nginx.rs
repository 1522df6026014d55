//! nginx with curl, which get files and do no more.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use rustix::process::geteuid;

use super::{Job, Peer, Program, Started};
use crate::Identity;
use crate::peers::net::free_port;
use crate::peers::place::Place;
use crate::peers::run::Daemon;
use crate::peers::{Outcome, Way};

#[derive(Debug)]
struct Nginx {
    _server: Daemon,
    address: SocketAddr,
    program: Program,
    /// What curl trusts, if there is TLS.
    certificate: Option<PathBuf>,
}

pub(super) fn start(place: &Place, host: IpAddr, tls: bool) -> Outcome<Started> {
    let port = free_port(host)?;
    let address = SocketAddr::new(host, port);
    let prefix = place.told().join(format!("nginx-{port}"));
    fs::create_dir(&prefix)?;
    let (certificate, key) = (prefix.join("certificate"), prefix.join("key"));
    let (ssl, lines) = if tls {
        Identity::own(&host.to_string()).write(&certificate, &key);
        let lines = format!(
            "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3;",
            certificate.display(),
            key.display()
        );
        (" ssl", lines)
    } else {
        ("", String::new())
    };
    let user = if geteuid().is_root() { "user root;\n" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {}/{what};\n", prefix.display()))
        .concat();
    let text = format!(
        "daemon off;\n{user}worker_processes auto;\npid {0}/pid;\nerror_log stderr;\nevents {{ worker_connections 1000; }}\n\
         http {{\n{temporary}access_log off;\nsendfile on;\ntcp_nopush on;\n\
         server {{ listen {address}{ssl}; {lines} root {1}; }}\n}}\n",
        prefix.display(),
        place.served().display()
    );
    let configuration = prefix.join("configuration");
    fs::write(&configuration, text)?;
    let mut server = Program::find("nginx", place)?.server();
    server.arg("-p").arg(&prefix).arg("-c").arg(configuration);
    let server = Daemon::start("nginx", server, port, &place.told())?;
    let program = Program::find("curl", place)?;
    let certificate = tls.then_some(certificate);
    Ok(Started::Peer(Box::new(Nginx { _server: server, address, program, certificate })))
}

impl Peer for Nginx {
    fn command(&self, job: Job) -> Option<Command> {
        if job.tree || job.way == Way::Put {
            return None;
        }
        let mut command = self.program.command();
        command.args(["-sSf", "-o"]).arg(job.local);
        let scheme = match &self.certificate {
            Some(certificate) => {
                command.arg("--cacert").arg(certificate);
                "https"
            }
            None => "http",
        };
        command.arg(format!("{scheme}://{}/{}", self.address, job.remote));
        Some(command)
    }
}
