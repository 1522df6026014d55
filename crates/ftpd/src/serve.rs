//! Serving: from a checked configuration to the clean end.

use std::io::{self, IsTerminal};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::Config;
use crate::core::{Core, Unopened};
use crate::ending::{End, Ending};
use crate::listen::Door;
use crate::logs::Sink;
use crate::notify::Notify;
use crate::reload::{Reload, status, warn_of_readers};
use crate::tls::{self, Identity, Tls};
use crate::wall::{self, Inside};
use crate::{classic, descriptors, inherit, listen, native, readers, sweeper};

/// How long peers may take to hear that their transfer is broken off.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How long a disk may take with what is under way.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Threads that may block on a disk at once.
const BLOCKING: usize = 128;

/// What keeps a server from serving.
#[derive(Debug, Error)]
pub enum Problem {
    /// A home that does not open.
    #[error("{0}. `ftpd check` says what would help")]
    Home(#[from] Unopened),
    /// An address that cannot be listened on.
    #[error(transparent)]
    Listen(#[from] inherit::Error),
    /// The second wall cannot be raised.
    #[error(transparent)]
    Wall(#[from] wall::Error),
    /// No key or certificate to serve with.
    #[error(transparent)]
    Identity(#[from] tls::Error),
    /// The system lacks what any server needs.
    #[error("the system does not let a server start: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// What kept it from serving.
pub fn run(config: Config, sink: &Sink) -> Result<(), Problem> {
    descriptors::raise();
    // Whatever is opened outside of homes and state is opened before the wall: it is around the threads that start after it.
    warn_of_readers(&config, readers::exposed(&config.file));
    let notify = Arc::new(Notify::from_environment());
    let identity = Identity::load(&config)?;
    if let Some(identity) = &identity {
        let word = if identity.is_new() { "made a key" } else { "key" };
        info!(fingerprint = %identity.fingerprint(), "{word}");
    }
    let tls = identity.map(Tls::new).transpose()?.map(Arc::new);
    let core = Arc::new(Core::new(&config)?);
    let addresses: Vec<_> = config.listeners().collect();
    let bound = inherit::listeners(&addresses)?;
    let threads = available_parallelism().map_or(1, usize::from); // looks into /proc and /sys
    let (wall, keeper) = wall::raise(&inside(&config, sink))?;

    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING)
        .enable_all()
        .build()?;
    let sink = sink.clone();
    let reload = Reload { started: config, core, tls, wall, keeper, sink, notify, sweep: Arc::default() };
    let served = runtime.block_on(serve(reload, bound));
    // A disk that does not answer must not keep the process; stages of what is given up are swept at the next start.
    runtime.shutdown_timeout(LAST_WRITES);
    served
}

/// What the wall leaves open.
fn inside(config: &Config, sink: &Sink) -> Inside {
    let tls = config.tls.as_ref().and_then(|tls| tls.files.clone());
    let identity = tls.into_iter().flat_map(|(certificate, key)| [certificate, key]);
    Inside {
        homes: config.users.values().map(|user| user.home.clone()).collect(),
        roots: config.roots.clone(),
        state: config.state.exists().then(|| config.state.clone()),
        reread: [config.file.clone()].into_iter().chain(identity).collect(),
        log: sink.path().map(Into::into),
        ports: config.classic.as_ref().map(|classic| classic.passive_ports.clone()),
        calls: config.classic.is_some(),
    }
}

async fn serve(reload: Reload, bound: Vec<TcpListener>) -> Result<(), Problem> {
    let had_terminal = io::stderr().is_terminal(); // asked before it can be gone
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let hangup = signal(SignalKind::hangup())?;
    let (end, ending) = End::new();
    let (core, notify, status) = (reload.core.clone(), reload.notify.clone(), status(&reload.started));
    let doors = doors(&reload, &ending);

    // Who connects meanwhile waits for it.
    tokio::select! {
        () = sweeper::before_serving(&core, &notify) => {}
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    }
    let sessions = TaskTracker::new();
    for (listener, door) in bound.into_iter().zip(doors) {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        info!(address = %listener.local_addr()?, "listening");
        tokio::spawn(listen::accept(listener, door, sessions.clone()));
    }
    tokio::spawn(sweeper::while_serving(core.clone(), reload.sweep.clone()));
    notify.ready(&status);
    let (gone, mut terminal_gone) = mpsc::channel(1);
    tokio::spawn(reload_on(hangup, Arc::new(reload), had_terminal.then_some(gone)));

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        Some(()) = terminal_gone.recv() => info!("the terminal is gone"),
    }
    info!(sessions = sessions.len(), "ending");
    notify.stopping(&format!("waiting for {} sessions", sessions.len()));
    end.drain();
    sessions.close();
    tokio::select! {
        drained = timeout(core.limits().drain, sessions.wait()) => if drained.is_err() {
            warn!(sessions = sessions.len(), "breaking off what is still running");
        },
        _ = terminate.recv() => warn!(sessions = sessions.len(), "asked again: breaking off what is still running"),
        _ = interrupt.recv() => warn!(sessions = sessions.len(), "asked again: breaking off what is still running"),
    }
    end.break_off();
    if timeout(LAST_WORDS, sessions.wait()).await.is_err() {
        warn!(sessions = sessions.len(), "some did not hear of it");
    }
    info!("ended");
    Ok(())
}

/// The door behind each listener, in the order of [`Config::listeners`].
fn doors(reload: &Reload, ending: &Ending) -> Vec<Door> {
    let Config { native, classic, .. } = &reload.started;
    let tls = reload.tls.clone().filter(|_| native.tls);
    let (core, digests) = (reload.core.clone(), native.digests.clone());
    let behind = Arc::new(native::Door { core: core.clone(), tls, digests, ending: ending.clone() });
    let mut doors: Vec<Door> = native.listen.iter().map(|_| Door::Native(behind.clone())).collect();
    if let (Some(config), Some(tls)) = (classic, &reload.tls) {
        let behind = Arc::new(classic::Door::new(core, tls.clone(), config.clone(), ending.clone()));
        doors.extend(config.listen.iter().map(|_| Door::Classic(behind.clone())));
        doors.extend(config.implicit.iter().map(|_| Door::Implicit(behind.clone())));
    }
    doors
}

/// Reloads at each SIGHUP; those that come meanwhile are one more. Where the server had a terminal, and has none any more, that is
/// what the signal told.
async fn reload_on(mut hangup: Signal, reload: Arc<Reload>, gone: Option<mpsc::Sender<()>>) {
    while hangup.recv().await.is_some() {
        if let Some(gone) = &gone
            && !io::stderr().is_terminal()
        {
            _ = gone.send(()).await;
            return;
        }
        let reload = reload.clone();
        if spawn_blocking(move || reload.run()).await.is_err() {
            warn!("the reload failed half-way; the log above says how");
        }
    }
}
