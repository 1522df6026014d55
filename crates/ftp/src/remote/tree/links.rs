//! Symbolic links in a tree: what becomes of them.

use std::str::FromStr;

use crate::failure::{Code, Failure};

/// What becomes of a symbolic link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// It is left out.
    Skip,
    /// What it leads to is moved in its place.
    Follow,
    /// It is made anew as a link, if it stays in the tree.
    #[default]
    Copy,
}

impl FromStr for Links {
    type Err = String;

    fn from_str(name: &str) -> Result<Links, String> {
        match name {
            "skip" => Ok(Links::Skip),
            "follow" => Ok(Links::Follow),
            "copy" => Ok(Links::Copy),
            _ => Err("use skip, follow or copy".into()),
        }
    }
}

/// Whether a link at `path` in a tree that says `target` stays in the tree, whatever other links there are in it: it climbs no
/// further than to the top, and only at its beginning, through directories that are no links.
pub(crate) fn stays(path: &[u8], target: &[u8]) -> bool {
    let parts = || target.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let climbs = parts().take_while(|part| *part == b"..").count();
    let above = path.iter().filter(|&&byte| byte == b'/').count();
    !target.is_empty()
        && !target.starts_with(b"/")
        && !target.contains(&0)
        && climbs <= above
        && parts().skip(climbs).all(|part| part != b"..")
}

/// Directories that were entered by links, each within the one before: what a walk that follows links must not enter again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain(Vec<Vec<u8>>);

/// Links that may lead into directories one within the other.
const DEEP: usize = 16;

impl Chain {
    /// Bytes of memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|entered| entered.len() + size_of::<Vec<u8>>()).sum()
    }

    /// The chain with the directory that the link at `path`, which says `target`, leads to; nothing if it leads to where somebody
    /// came from already, or too deep.
    pub(crate) fn enter(&self, path: &[u8], target: &[u8]) -> Option<Chain> {
        let leads = resolved(path, target);
        let within = |path: &[u8], directory: &[u8]| {
            directory.is_empty()
                || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let returns = within(path, &leads) || self.0.iter().any(|before| within(before, &leads));
        if returns || self.0.len() >= DEEP {
            return None;
        }
        let mut entered = self.0.clone();
        entered.push(leads);
        Some(Chain(entered))
    }
}

/// The failure of a link that leads out of its tree.
pub(crate) fn leads_out() -> Failure {
    Failure::new(Code::Denied, "the link leads out of the tree, and is left out")
        .with_remedy("--links follow moves what it leads to, --links skip leaves links out.")
}

/// The failure of a link that is to be followed and was come through.
pub(crate) fn leads_back() -> Failure {
    Failure::new(Code::Other, "the link leads back to a directory that it lies in")
        .with_remedy("Nothing in it is left out.")
}

/// Where the text of a link leads, from the top of the tree on; above the top is the top.
fn resolved(path: &[u8], target: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = match target {
        [b'/', ..] => Vec::new(),
        _ => path.split(|&byte| byte == b'/').collect(),
    };
    parts.pop();
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_could_lead_out_does_not_stay() {
        for (path, target) in
            [("a", "b"), ("a", "./b"), ("d/a", "../b"), ("d/e/a", "../../x/y"), ("d/a", ".."), ("a", "d//e/")]
        {
            assert!(stays(path.as_bytes(), target.as_bytes()), "{path} {target}");
        }
        for (path, target) in [
            ("a", "/etc"),
            ("a", ".."),
            ("a", "../b"),
            ("d/a", "../../b"),
            ("d/a", "./../../b"),
            ("a", ""),
            ("a", "b\0"),
            // Through another link, which may lead to the top, this climbs above it.
            ("a", "d/.."),
            ("d/e/a", "../f/../../.."),
        ] {
            assert!(!stays(path.as_bytes(), target.as_bytes()), "{path} {target}");
        }
    }

    #[test]
    fn links_that_lead_back_are_entered_no_more() {
        let none = Chain::default();
        for (path, target) in [("a", "."), ("d/a", ".."), ("d/a", "../d"), ("d/e/a", "../../d"), ("a", "/")] {
            assert!(none.enter(path.as_bytes(), target.as_bytes()).is_none(), "{path} {target}");
        }
        let first = none.enter(b"a/l", b"../b").unwrap();
        assert!(first.enter(b"a/l/m", b"../../c").is_some());
        assert!(first.enter(b"c/l", b"../b").is_none(), "entered already");
        let mut chain = none;
        for deep in 0..DEEP {
            chain = chain.enter(b"x", format!("d{deep}").as_bytes()).unwrap();
        }
        assert!(chain.enter(b"x", b"one more").is_none());
    }
}
