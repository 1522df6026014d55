//! Homes that have something in common.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::config::{Config, Size, User};

/// A warning for each home within another, and for each that is several users' with different quotas.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut homes: BTreeMap<PathBuf, Vec<(&str, &User)>> = BTreeMap::new();
    for (name, user) in &config.users {
        homes.entry(real(&user.home)).or_default().push((name, user));
    }
    let mut findings = Vec::new();
    for (path, users) in &homes {
        if users.iter().any(|(_, user)| user.quota != users[0].1.quota) {
            let quota = |user: &User| user.quota.map_or("none".into(), |bytes| Size(bytes).to_string());
            let quotas: Vec<_> =
                users.iter().map(|(name, user)| format!("{name}: {}", quota(user))).collect();
            findings.push(Finding::warning(format!(
                "home of {}: {} has different quotas ({}), and what any of them stores counts for all. \
                 give all the same quota, or homes of their own",
                names(users),
                users[0].1.home.display(),
                quotas.join(", ")
            )));
        }
        let Some(others) = path.ancestors().skip(1).find_map(|above| homes.get(above)) else {
            continue;
        };
        findings.push(Finding::warning(format!(
            "home of {}: {} lies within {}, the home of {}: who is there reaches it too, and a quota there takes notice of what \
             is stored here only at the start and on SIGHUP. give one of them a home beside the other",
            names(users),
            users[0].1.home.display(),
            others[0].1.home.display(),
            names(others),
        )));
    }
    findings
}

fn names(users: &[(&str, &User)]) -> String {
    users.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Where a home is, or will be made.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = absolute.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    let joined = there.and_then(|(above, real)| Some(real.join(absolute.strip_prefix(above).ok()?)));
    joined.unwrap_or(absolute)
}
