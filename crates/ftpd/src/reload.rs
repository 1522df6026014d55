//! Reading users.toml again while the server runs: all that it says anew, or nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tracing::{error, info, warn};

use crate::config::{Config, Mistake, Problem};
use crate::core::{Core, Reloaded, Unopened};
use crate::logs::Sink;
use crate::notify::Notify;
use crate::tls::{self, Identity, Tls};
use crate::wall::{Keeper, Wall};
use crate::{files, readers};

/// All that a reload works on.
#[derive(Debug)]
pub(crate) struct Reload {
    /// What the server was started with.
    pub(crate) started: Config,
    pub(crate) core: Arc<Core>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) wall: Wall,
    pub(crate) keeper: Keeper,
    pub(crate) sink: Sink,
    pub(crate) notify: Arc<Notify>,
    /// Has the homes swept and counted.
    pub(crate) sweep: Arc<tokio::sync::Notify>,
}

/// Why everything stays as it is.
#[derive(Debug, Error)]
enum Refused {
    #[error(transparent)]
    Config(#[from] Problem),
    /// Neither owner nor mode of the file forbids to read it: the keeper's own wall does.
    #[error("{} lies where the running server may not go. start ftpd again, which reads it there", .0.display())]
    Walled(PathBuf),
    #[error("{0}. `ftpd check` says what would help")]
    Home(#[from] Unopened),
    #[error(transparent)]
    Identity(#[from] tls::Error),
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Reload {
    /// Reloads, and tells log and supervisor what came of it. Blocks.
    pub(crate) fn run(&self) {
        self.notify.reloading();
        self.reopen_log();
        match self.reload() {
            Ok((config, reloaded)) => {
                let Reloaded { added, removed, .. } = &reloaded;
                info!(users = config.users.len(), added = added.len(), removed = removed.len(), "reloaded");
                self.notify.ready(&status(&config));
                self.sweep.notify_one(); // the next reload does not wait for it
            }
            Err(refused) => {
                error!(reason = refused.to_string(), "not reloaded: all stays as it was");
                self.notify.ready(&format!("not reloaded: {refused}"));
            }
        }
    }

    fn reload(&self) -> Result<(Config, Reloaded), Refused> {
        let file = self.started.file.clone();
        let (config, exposed) = self.keeper.run(move || (Config::load(&file), readers::exposed(&file)))?;
        let config = config.map_err(|problem| match &*problem.mistake {
            Mistake::Unreadable { error, .. } => walled(&problem.file, error).unwrap_or(problem.into()),
            _ => problem.into(),
        })?;
        for (name, user) in &config.users {
            if !self.wall.permits(&user.home) {
                let mistake =
                    Box::new(Mistake::Outside { user: name.clone(), example: r#"roots = ["/srv/ftp"]"# });
                let (file, line) = (config.file.clone(), Some(user.home_line));
                return Err(Problem { file, line, mistake }.into());
            }
        }
        let tls = self.tls(&config)?; // read before anything is put in place
        let reloaded = self.core.reload(&config)?;
        if let (Some(running), Some(read)) = (&self.tls, tls) {
            running.replace(read);
        }

        warn_of_readers(&config, exposed);
        for key in fixed(&self.started, &config) {
            warn!(key, "changed in users.toml, and takes effect when ftpd is started again");
        }
        Ok((config, reloaded))
    }

    /// Key and certificate, read again from the files that they were read from. Where the server's own are gone, none are made:
    /// it goes on with those it has.
    fn tls(&self, config: &Config) -> Result<Option<Tls>, Refused> {
        if self.started.tls.is_none() || config.tls != self.started.tls {
            return Ok(None);
        }
        let config = config.clone();
        let identity = self.keeper.run(move || Identity::existing(&config))?;
        let identity = identity.map_err(|error| match &error {
            tls::Error::Io { path, source, .. } => walled(path, source).unwrap_or(error.into()),
            _ => error.into(),
        })?;
        Ok(identity.map(Tls::new).transpose()?)
    }

    fn reopen_log(&self) {
        let sink = self.sink.clone();
        if let Err(error) = self.keeper.run(move || sink.reopen()).and_then(|reopened| reopened) {
            warn!(%error, "the log file cannot be opened again: lines go on to the one it was");
        }
    }
}

fn walled(path: &Path, error: &io::Error) -> Option<Refused> {
    files::is_walled_off(path, error).then(|| Refused::Walled(path.to_owned()))
}

/// What the supervisor shows of a server that serves.
pub(crate) fn status(config: &Config) -> String {
    let listen: Vec<String> = config.listeners().map(|address| address.to_string()).collect();
    format!("{} users, listening on {}", config.users.len(), listen.join(" "))
}

/// Warns when others than its owner can read the file.
pub(crate) fn warn_of_readers(config: &Config, exposed: io::Result<Option<String>>) {
    let file = config.file.display();
    match exposed {
        Ok(None) => {}
        Ok(Some(exposed)) => warn!("{file}: {exposed}"),
        Err(error) => warn!("{file}: {error}"),
    }
}

/// The keys that say something else, and of which a running server takes no notice.
fn fixed(started: &Config, now: &Config) -> Vec<&'static str> {
    let (door, new) = (&started.native, &now.native);
    let mut changed = vec![
        ("state", started.state != now.state),
        ("roots", started.roots != now.roots),
        ("listen", door.listen != new.listen),
        ("digests", door.digests != new.digests),
        ("tls", door.tls != new.tls),
        ("certificate or key", files(started) != files(now)),
    ];
    match (&started.classic, &now.classic) {
        (Some(door), Some(new)) => changed.extend([
            ("[classic] listen", door.listen != new.listen),
            ("[classic] implicit", door.implicit != new.implicit),
            ("[classic] passive_ports", door.passive_ports != new.passive_ports),
            ("[classic] external", door.external != new.external),
            ("[classic] tls", door.tls != new.tls),
            ("[classic] resumption", door.resumption != new.resumption),
            ("[classic] lenient_eof", door.lenient_eof != new.lenient_eof),
        ]),
        (door, new) => changed.push(("[classic]", door.is_some() != new.is_some())),
    }
    changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
}

/// The certificate and key that are named.
fn files(config: &Config) -> Option<&(PathBuf, PathBuf)> {
    config.tls.as_ref().and_then(|tls| tls.files.as_ref())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("users.toml"), text).unwrap()
    }

    const NATIVE: &str = "[native]\nlisten = [\"127.0.0.1:1\"]\n";

    #[test]
    fn what_needs_a_restart_is_named() {
        let both = format!("{NATIVE}[classic]\nlisten = [\"127.0.0.1:2\"]\n");
        for (now, expected) in [
            (both.clone(), &[][..]),
            (NATIVE.into(), &["[classic]"]),
            (both.replace(":1", ":3"), &["listen"]),
            (both.replace("[classic]", "tls = false\n[classic]"), &["tls"]),
            (
                both.replace("[classic]", "certificate = \"c\"\nkey = \"k\"\n[classic]"),
                &["certificate or key"],
            ),
            (both.replace(":2", ":3"), &["[classic] listen"]),
            (
                format!(
                    "{both}passive_ports = \"5\"\nexternal = \"192.0.2.1\"\nimplicit = [\"127.0.0.1:4\"]"
                ),
                &["[classic] implicit", "[classic] passive_ports", "[classic] external"],
            ),
            (
                format!("{both}tls = \"offered\"\nresumption = \"required\"\nlenient_eof = true"),
                &["[classic] tls", "[classic] resumption", "[classic] lenient_eof"],
            ),
            (format!("{both}[limits]\nsessions = 3"), &[]),
        ] {
            assert_eq!(fixed(&config(&both), &config(&now)), expected, "{now}");
        }
    }

    #[test]
    fn the_status_names_every_listener() {
        let config =
            config(&format!("{NATIVE}[classic]\nlisten = [\"127.0.0.1:2\"]\nimplicit = [\"[::1]:3\"]"));
        assert_eq!(status(&config), "0 users, listening on 127.0.0.1:1 127.0.0.1:2 [::1]:3");
    }
}
