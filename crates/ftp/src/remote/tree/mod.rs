//! Trees: what is common to every way of moving one, whatever the server speaks.

mod account;
mod ground;
mod left;
mod links;
mod notes;
mod only;
mod paths;
mod small;
mod source;
mod steps;

use std::path::PathBuf;

use store::Home;

pub(super) use account::Portion;
pub(crate) use account::{Account, Deed, Sum};
pub(super) use ground::{Ground, Job, Made, resolve};
pub(crate) use left::{Half, Mark, Marks, Place, mark};
pub use links::Links;
pub(crate) use links::{Chain, leads_back, leads_out, stays};
pub(crate) use notes::{note, noted};
pub(super) use only::Only;
pub(crate) use only::{groups, misformed};
pub(crate) use paths::{Paths, join};
pub(super) use small::{Small, Whole};
pub(crate) use source::{Item, Source, place_in};
pub(crate) use steps::{Step, Steps};

use crate::commands::quote;
use crate::failure::{Code, Failure};

/// What is to be fetched.
#[derive(Clone)]
pub(crate) struct Fetch {
    /// The directory of the server, or the file.
    pub(crate) from: String,
    /// Where it goes on this computer.
    pub(crate) to: PathBuf,
    /// Whether that is to be what it is there, or only to hold what is in it.
    pub(crate) whole: bool,
    /// Which of the files, if not all: the directories that they need are made as they come.
    pub(crate) only: Option<Only>,
}

/// What is to be brought.
#[derive(Clone)]
pub(crate) struct Bring {
    /// The directory of this computer.
    pub(crate) from: PathBuf,
    /// Where it goes on the server.
    pub(crate) to: String,
    /// If that depends on what is there: where it goes if that is a directory already.
    pub(crate) inside: Option<Inside>,
    /// Whether that is to be what it is here, or only to hold what is in it.
    pub(crate) whole: bool,
    /// Which of the files, if not all: the directories that they need are made as they come.
    pub(crate) only: Option<Only>,
}

/// A place in a directory of the server.
#[derive(Clone)]
pub(crate) struct Inside {
    /// The path of the place.
    pub(crate) path: String,
    /// What that has behind the path of the directory; empty if it is the directory itself.
    pub(crate) name: String,
}

impl Inside {
    /// What to do where nobody knows whether the directory `to` was made for a tree, or there before.
    pub(crate) fn in_doubt(&self, to: &str) -> String {
        let (to, inside) = (quote(to), quote(&self.path));
        format!(
            "If {to} was not there before, remove it with rm -r. Then put the tree once more: where {to} is there, it goes to {inside}."
        )
    }
}

/// `path` in the remote directory `root`.
pub(crate) fn below(root: &str, path: &[u8]) -> Vec<u8> {
    match (root.as_bytes(), path) {
        (root, b"") => root.to_vec(),
        (b"", path) | (b".", path) => path.to_vec(),
        (root @ [.., b'/'], path) => [root, path].concat(),
        (root, path) => [root, b"/", path].concat(),
    }
}

/// What shows where a thing of a tree is: the tree as its user named it, and the path in it.
pub(crate) fn shown(root: &str, path: &[u8]) -> String {
    String::from_utf8_lossy(&below(root, path)).into_owned()
}

/// Whether the parts of a path from a server are what can be names in directories: whatever else it is, it is no path of a tree.
pub(super) fn is_a_path(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').all(super::can_be_a_name)
}

/// The local directory that a tree is brought to, made if it is missing, with every path in it kept beneath it by the kernel.
pub(super) fn destination(path: &std::path::Path) -> Result<Home, Failure> {
    match std::fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let _unread = store::sweep_directory(path); // where what is left there is in the way, it shows
        }
        Err(error) => return Err(error.into()),
    }
    let options = store::Options { quota: None, durability: store::Durability::Full };
    Home::at(path, &options).map_err(|error| Failure::from(error).of(&path.to_string_lossy()))
}

/// Gives the directory that a tree was brought to what the tree's own has.
pub(crate) async fn set_root(path: &std::path::Path, attributes: store::Attributes) -> Result<(), Failure> {
    let path = path.to_owned();
    super::disk::on_disk(move || Ok(store::set_directory(&path, &attributes)?)).await
}

/// Why nothing of a tree can come: its own directory cannot be made at the server, which says `why`.
pub(super) fn no_place(why: Failure) -> Failure {
    match why.code {
        Code::NotFound => Failure::new(Code::NotFound, "the server has no directory to make it in")
            .with_remedy("Make that first, with mkdir."),
        _ => why,
    }
}

/// The failure that a link is which a pattern matches, and behind which there is nothing.
pub(super) fn leads_nowhere() -> Failure {
    Failure::new(Code::NotFound, "the link leads nowhere")
        .with_remedy("Remove the link, or have it lead to a file.")
}

/// The failure of a tree of which a part could not be moved.
pub(super) fn in_part(failed: u64, of: u64, what: &str) -> Failure {
    Failure::new(Code::PartFailed, format!("{failed} of {of} could not be {what}"))
}
