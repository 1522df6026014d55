//! What is at both ends.

use std::collections::VecDeque;
use std::path::Path;

use store::{EntryKind, Found, Home, HomePath, Name, Options};

use super::plan::Planner;
use super::rules::Rules;
use super::there::{Fact, There, What, bytes, weigh};
use crate::failure::{Code, Failure};
use crate::remote::{Chain, Item, Links, Remote, Source, below, join, leads_back, stays};

/// Bytes that a part of a walk counts for.
const BRANCH: usize = 48 * 1024;

/// What stands in a directory of this computer, which may be missing. It blocks.
pub(super) fn local(to: &Path, rules: &Rules) -> Result<There, Failure> {
    let mut there = There::default();
    match std::fs::metadata(to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(There { missing: true, ..there });
        }
        Err(error) => return Err(Failure::from(error).of(&to.to_string_lossy())),
        Ok(metadata) if !metadata.is_dir() => return Err(no_directory(&to.to_string_lossy())),
        Ok(_) => {}
    }
    let mut walk = Home::at(to, &Options::default())?.walk(&HomePath::root())?;
    while let Some(branch) = walk.next_branch(BRANCH) {
        branch.found.into_iter().try_for_each(|found| there.add(rules, found))?;
        there.incomplete |= branch.missed.iter().any(|missed| rules.take(&missed.path, true));
    }
    Ok(there)
}

/// What stands in a directory of the server; nothing where it is missing.
pub(super) async fn remote(remote: &mut Remote, to: &str, rules: &Rules) -> Result<There, Failure> {
    let mut there = There::default();
    match remote.walk(to).await {
        Err(failure) if failure.code == Code::NotFound => return Ok(There { missing: true, ..there }),
        begun => begun?,
    }
    while let Some(branch) = remote.next_branch().await? {
        for found in branch.found {
            if found.path.is_empty() && found.kind != EntryKind::Directory {
                remote.recover().await?;
                return Err(no_directory(to));
            }
            there.add(rules, found)?;
        }
        there.incomplete |= branch.missed.iter().any(|missed| rules.take(&missed.path, true));
    }
    Ok(there)
}

/// Has `planner` meet what is in a directory of this computer. It blocks.
pub(super) fn meet_local(from: &Path, links: Links, planner: &mut Planner) -> Result<(), Failure> {
    for item in Source::open(from, links, None)? {
        let of = |what, attributes: store::Attributes| Fact {
            what,
            modified: attributes.modified.unwrap_or(store::Time { seconds: 0, nanoseconds: 0 }),
            mode: attributes.mode.unwrap_or_default(),
        };
        match item {
            Item::Directory { path, attributes } => planner.meet(&path, &of(What::Directory, attributes)),
            Item::File { path, size, attributes } => planner.meet(&path, &of(What::File(size), attributes)),
            Item::Link { path, target } => {
                planner.meet(&path, &of(What::Link(target.into()), store::Attributes::default()));
            }
            Item::Skipped { path } => planner.skip(path),
            Item::LeadsOut { path } => planner.lead_out(path),
            Item::Failed { path, failure } => planner.fail(path, failure),
            Item::Missed { path, failure } => planner.miss(path, failure),
            Item::Attributes { .. } | Item::Remove { .. } => {} // in no directory
        }
    }
    Ok(())
}

/// Has `planner` meet what is in a directory of the server.
pub(super) async fn meet_remote(
    remote: &mut Remote,
    from: &str,
    links: Links,
    planner: &mut Planner,
) -> Result<(), Failure> {
    let mut later = vec![(Vec::new(), Chain::default())];
    let (mut weight, mut begun) = (0, false);
    while let Some((prefix, chain)) = later.pop() {
        let mut follow = VecDeque::new();
        let place = text(&below(from, &prefix))?;
        match remote.walk(if place.is_empty() { "." } else { &place }).await {
            Err(failure) if !prefix.is_empty() && !failure.is_final() => {
                planner.miss(prefix, failure);
                continue;
            }
            begun => begun?,
        }
        while let Some(branch) = remote.next_branch().await? {
            for mut found in branch.found {
                if !begun && (!found.path.is_empty() || found.kind != EntryKind::Directory) {
                    return Err(Failure::new(Code::Other, "it is no directory any more"));
                }
                begun = true;
                found.path = join(&prefix, &found.path);
                weigh(&mut weight, bytes(&found))?;
                if found.kind != EntryKind::Link {
                    meet(planner, found);
                } else if let Some(link) = meet_link(planner, found, links, &chain) {
                    weigh(&mut weight, link.0.len() + link.1.bytes())?;
                    follow.push_back(link);
                }
            }
            for missed in branch.missed {
                let Failure { message, remedy, .. } = &missed.failure;
                let words = message.len() + remedy.as_ref().map_or(0, String::len);
                weigh(&mut weight, missed.path.len() + words)?;
                begun |= missed.path.is_empty();
                planner.miss(join(&prefix, &missed.path), missed.failure);
            }
        }
        if !begun {
            // A directory is found before what is in it: what was told of nothing must not pass for an empty one.
            return Err(Failure::new(
                Code::Other,
                "the server tells nothing of the directory, not even that it is one",
            ));
        }
        for (path, chain) in follow {
            let Ok(place) = text(&below(from, &path)) else { continue }; // it was told before
            match remote.stat(&place).await {
                Ok(entry) if entry.kind == EntryKind::Directory => later.push((path, chain)),
                Ok(store::Entry { kind, size, modified, mode, .. }) => {
                    meet(planner, Found { path, kind, size, modified, mode, target: None });
                }
                Err(failure) if failure.is_final() => return Err(failure),
                Err(failure) => planner.fail(path, failure),
            }
        }
    }
    Ok(())
}

/// Has `planner` meet what a server tells of, if it has a name that a thing can have here.
fn meet(planner: &mut Planner, found: Found) {
    let path = found.path.clone();
    if path.is_empty() || path.split(|&byte| byte == b'/').all(|part| Name::parse(part).is_ok()) {
        planner.meet(&path, &Fact::from(found));
    } else {
        planner.fail(path, store::Error::from(store::Kind::InvalidName).into());
    }
}

/// The same of a link; if that is to be followed, where it is and how it was come to.
fn meet_link(planner: &mut Planner, found: Found, links: Links, chain: &Chain) -> Option<(Vec<u8>, Chain)> {
    let Some(target) = found.target.clone() else {
        planner.lead_out(found.path);
        return None;
    };
    match links {
        Links::Skip => planner.skip(found.path),
        Links::Copy if stays(&found.path, &target) => meet(planner, found),
        Links::Copy => planner.lead_out(found.path),
        Links::Follow if !planner.takes(&found.path, false) => {}
        Links::Follow => match chain.enter(&found.path, &target) {
            Some(chain) => return Some((found.path, chain)),
            None => planner.fail(found.path, leads_back()),
        },
    }
    None
}

/// A remote path as text.
pub(super) fn text(path: &[u8]) -> Result<String, Failure> {
    str::from_utf8(path).map(str::to_owned).map_err(|_| store::Error::from(store::Kind::InvalidName).into())
}

fn no_directory(name: &str) -> Failure {
    let name = crate::commands::quote(name);
    Failure::new(Code::Other, format!("{name} is no directory, and what is to be brought there is one"))
        .with_remedy("Name another place, or remove it first.")
}
