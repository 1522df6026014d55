//! Serving: from a checked configuration to the clean end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::Config;
use crate::core::{Core, Unopened};
use crate::descriptors;
use crate::listen;
use crate::native::Door;
use crate::tls::{self, Identity, Tls};

/// How long commands that run at SIGTERM may go on.
const DRAIN: Duration = Duration::from_secs(10);

/// Threads that may block on a disk at once.
const BLOCKING: usize = 128;

/// What keeps a server from serving.
#[derive(Debug, Error)]
pub enum Problem {
    /// A home that does not open.
    #[error("{0}. `ftpd check` says what would help")]
    Home(#[from] Unopened),
    /// An address that cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Is another server on that port? `listen` in users.toml names it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
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
pub fn run(config: Config) -> Result<(), Problem> {
    descriptors::raise();
    let runtime = Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING).build()?;
    let served = runtime.block_on(serve(config));
    // A disk that does not answer must not keep the process; stages of what is given up are swept at the next start.
    runtime.shutdown_timeout(Duration::from_secs(2));
    served
}

async fn serve(config: Config) -> Result<(), Problem> {
    let identity = Identity::load(&config)?;
    if let Some(identity) = &identity {
        let word = if identity.is_new() { "made a key" } else { "key" };
        info!(fingerprint = %identity.fingerprint(), "{word}");
    }
    let tls = identity.map(Tls::new).transpose()?;
    let core = Arc::new(Core::new(&config)?);
    let (end, ending) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let bind = |&address| listen::bind(address).map_err(|source| Problem::Listen { address, source });
    let bound = config.native.listen.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    let sweeping = core.clone();
    let swept = tokio::task::spawn_blocking(move || sweeping.sweep());

    let door = Arc::new(Door { core, tls, digests: config.native.digests, ending });
    let sessions = TaskTracker::new();
    for listener in bound {
        info!(address = %listener.local_addr()?, "listening");
        tokio::spawn(listen::accept(listener, door.clone(), sessions.clone()));
    }
    tokio::spawn(async move {
        if swept.await.is_ok() {
            info!("homes swept");
        }
    });

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!(sessions = sessions.len(), "ending");
    end.send_replace(true);
    sessions.close();
    if timeout(DRAIN, sessions.wait()).await.is_err() {
        warn!(sessions = sessions.len(), "breaking off what is still running");
    }
    info!("ended");
    Ok(())
}
