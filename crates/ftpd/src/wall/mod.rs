//! The second wall: the kernel (landlock(7)) keeps the whole process to its homes, its state and its configuration, so that a
//! mistake in our own checks opens nothing else.
//!
//! | who | may open |
//! |---|---|
//! | every session, whatever thread it is on | homes and roots: to read and to change, never to execute |
//! | the [`Keeper`] | state: to read and to change; the directories of users.toml, certificate and key: to read; that of the log file: to append |
//!
//! Nobody opens a TCP port or connects, save for the data connections of classic sessions; sends signals to other processes; or
//! reaches an abstract socket: what the server needs of these it has before. Of all this, an older kernel keeps as much as it
//! can.

mod keeper;

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, make_bitflags,
};
use thiserror::Error;
use tracing::{info, warn};

pub use keeper::Keeper;

/// What is asked of the kernel: no more than was tested.
const TESTED: ABI = ABI::V7;

/// Why the wall cannot be raised.
#[derive(Debug, Error)]
pub enum Error {
    /// A directory that should be permitted cannot be opened, or made.
    #[error("{} cannot be opened: {source}. make it, or take it out of users.toml", .path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The kernel has Landlock and refuses.
    #[error("the kernel refuses to restrict the server: {0}")]
    Refused(#[from] RulesetError),
    /// No thread could be started.
    #[error("the system does not let a server start: {0}")]
    System(#[from] io::Error),
}

/// What may be opened once the wall stands.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// Directories in which sessions read and change.
    pub homes: Vec<PathBuf>,
    /// The directory in which the keeper reads and changes, if there is one.
    pub state: Option<PathBuf>,
    /// Directories beneath which homes may be added later; made when missing (0700).
    pub roots: Vec<PathBuf>,
    /// Files that the keeper reads again, each replaced by whoever edits it.
    pub reread: Vec<PathBuf>,
    /// A file that the keeper opens again to append.
    pub log: Option<PathBuf>,
    /// TCP ports that sessions open to wait for a data connection; port 0 is one that the system chooses.
    pub ports: Option<RangeInclusive<u16>>,
    /// Whether sessions call their clients back for a data connection, from any port that the system chooses.
    pub calls: bool,
}

/// The wall, as it stands.
#[derive(Debug)]
pub struct Wall {
    /// Where homes may be, links resolved; `None` where the kernel has no such wall.
    permitted: Option<Vec<PathBuf>>,
}

impl Wall {
    /// Whether a home can be opened or made at `path`.
    pub fn permits(&self, path: &Path) -> bool {
        let Some(permitted) = &self.permitted else { return true };
        resolved(path).is_some_and(|real| permitted.iter().any(|directory| real.starts_with(directory)))
    }
}

/// Raises the wall around the calling thread and all that it starts from now on, and starts the keeper, who has one of its
/// own. Says in the log how it stands.
///
/// # Errors
/// A path that is not there, or a kernel that refuses; where it has no Landlock at all, there is one warning and no wall.
pub fn raise(inside: &Inside) -> Result<(Wall, Keeper), Error> {
    for root in &inside.roots {
        let make = || DirBuilder::new().recursive(true).mode(0o700).create(root);
        make().map_err(|source| Error::Path { path: root.clone(), source })?;
    }
    let around_keeper = keepers(inside)?;
    let keeper = Keeper::start(move || around_keeper.restrict_self().map(drop))??;

    let writable = || inside.homes.iter().chain(&inside.roots);
    let mut ruleset = ruleset(inside.calls)?;
    for directory in writable() {
        ruleset = ruleset.add_rule(beneath(directory, change())?)?;
    }
    // Who binds the address that the client knows, before it calls, binds port 0 with it.
    let own = inside.calls.then_some(0);
    for port in inside.ports.clone().into_iter().flatten().chain(own) {
        ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::BindTcp))?;
    }
    let stands = tell(&ruleset.restrict_self()?);
    let permitted = stands.then(|| writable().filter_map(|path| resolved(path)).collect());
    Ok((Wall { permitted }, keeper))
}

/// The keeper's rules.
fn keepers(inside: &Inside) -> Result<RulesetCreated, Error> {
    let mut ruleset = ruleset(false)?;
    if let Some(state) = &inside.state {
        ruleset = ruleset.add_rule(beneath(state, change())?)?;
    }
    for file in &inside.reread {
        // A link is followed to where the file is now; whoever replaces it does so in one of the two.
        let real = fs::canonicalize(file).ok();
        for directory in [Some(file), real.as_ref()].into_iter().flatten().map(|file| parent(file)) {
            ruleset = ruleset.add_rule(beneath(directory, AccessFs::ReadFile.into())?)?;
        }
    }
    if let Some(log) = &inside.log {
        let append = make_bitflags!(AccessFs::{WriteFile | MakeReg});
        ruleset = ruleset.add_rule(beneath(parent(log), append)?)?;
    }
    Ok(ruleset)
}

/// Rules that permit nothing yet, but to connect if it `calls`: whom, nobody knows before.
fn ruleset(calls: bool) -> Result<RulesetCreated, RulesetError> {
    let mut net = AccessNet::from_all(TESTED);
    net.set(AccessNet::ConnectTcp, !calls);
    Ruleset::default()
        // The oldest kernels with Landlock could only forbid to move a file to another directory: there, no wall is better.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(net)?
        .scope(Scope::from_all(TESTED))?
        .create()
}

/// What sessions do in homes. Links, devices and their like are never made, but to rename one is the same right.
fn change() -> BitFlags<AccessFs> {
    AccessFs::from_all(TESTED) & !make_bitflags!(AccessFs::{Execute | IoctlDev})
}

fn beneath(directory: &Path, access: BitFlags<AccessFs>) -> Result<PathBeneath<PathFd>, Error> {
    let shut = |error: landlock::PathFdError| {
        let landlock::PathFdError::OpenCall { source, path, .. } = error else {
            return Error::System(io::Error::other(error));
        };
        Error::Path { path, source }
    };
    Ok(PathBeneath::new(PathFd::new(directory).map_err(shut)?, access))
}

/// How the wall stands; whether it does.
fn tell(status: &RestrictionStatus) -> bool {
    let version = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    };
    let whole = status.ruleset == RulesetStatus::FullyEnforced;
    let stands = status.ruleset != RulesetStatus::NotEnforced;
    if stands {
        info!(landlock = version, whole, "the kernel keeps the server to its homes, state and configuration");
    } else {
        warn!(
            landlock = version,
            "this kernel cannot keep the server to its homes: only the server's own checks do. \
             Linux 5.19 or later can, with landlock among its security modules (lsm=)"
        );
    }
    stands
}

/// The directory that a file lies in.
fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Where `path` is, or would be made: links resolved as far as there is something.
fn resolved(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find_map(|above| {
        let real = fs::canonicalize(above).ok()?;
        let rest = absolute.strip_prefix(above).ok()?;
        // What is not there yet must not lead back up.
        let plain = rest.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        plain.then(|| real.join(rest))
    })
}
