//! What a client asks.

use std::fmt;

use bincode::{Decode, Encode};
use zeroize::Zeroize;

use crate::Time;

/// A command. Each gets replies of its own, in the order of the commands.
///
/// A path is bytes, so that one that is not UTF-8 is refused as a name and not as a broken frame. One that begins with `/`
/// starts at the home, another at the session's current directory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[expect(missing_docs, reason = "`path` is the path that the command is about")]
pub enum Command {
    /// Opens the conversation. Answer: `Hello`.
    Hello {
        /// Name and version of the client's software.
        client: String,
    },
    /// Logs in. Answer: `Welcome`.
    Login {
        /// The account.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// Asks for the current directory. Answer: `Directory`.
    Pwd,
    /// Changes the current directory. Answer: `Directory`.
    Cd { path: Vec<u8> },
    /// Changes the current directory to the one above; at the home it stays. Answer: `Directory`.
    CdUp,
    /// Lists a directory, or the one file that `path` names. Answer: `Listing`, then pages.
    List { path: Vec<u8> },
    /// Describes a file or a directory. Answer: `Entry`.
    Stat { path: Vec<u8> },
    /// Asks for a file. Answer: `Sending`, then data frames, then an end frame.
    Get {
        path: Vec<u8>,
        /// The block from which on to send: 0 for the whole file.
        first_block: u64,
    },
    /// Brings a file: data frames and an end frame follow at once. Answer: `Stored`.
    Put {
        path: Vec<u8>,
        /// Bytes that will follow.
        size: u64,
    },
    /// Makes a directory. Answer: `Done`.
    Mkdir { path: Vec<u8> },
    /// Removes an empty directory. Answer: `Done`.
    Rmdir { path: Vec<u8> },
    /// Removes a file or a link. Answer: `Done`.
    Remove { path: Vec<u8> },
    /// Renames a file or directory, replacing a file of the new name. Answer: `Done`.
    Rename {
        /// The name now.
        from: Vec<u8>,
        /// The new name.
        to: Vec<u8>,
    },
    /// Sets what is given. Answer: `Done`.
    SetAttributes {
        path: Vec<u8>,
        /// Time of modification.
        modified: Option<Time>,
        /// Permission bits (POSIX), of which the lower nine count.
        mode: Option<u32>,
    },
    /// Asks for the plain MD5 of a whole file. Answer: `Md5`.
    Md5 { path: Vec<u8> },
    /// Ends the session. Answer: `Goodbye`.
    Quit,
    /// Tells all that lies beneath a directory, the directory itself first; or the one thing that `path` names. Answer:
    /// `Listing`, then branches.
    Walk { path: Vec<u8> },
    /// Makes a symbolic link. Answer: `Done`.
    Link {
        path: Vec<u8>,
        /// What it says, from the directory that holds it; it stays in the home.
        target: Vec<u8>,
    },
    /// Asks for the rest of a file, whose first blocks the client has. Answer: `Sending`, then data frames, then an end frame.
    Resume {
        path: Vec<u8>,
        /// Blocks that the client has: the one from which on to send.
        first_block: u64,
        /// Their root.
        proof: Vec<u8>,
    },
    /// Asks what is kept of an upload to `path` that was cut. Answer: `Kept`.
    Kept { path: Vec<u8> },
    /// Brings a file, of which is kept what comes if the connection is cut: data frames and an end frame follow at once. Answer:
    /// `Stored`.
    PutRest {
        path: Vec<u8>,
        /// Bytes of the whole file.
        size: u64,
        /// Blocks that the server keeps: the one from which on they follow; 0 for a new beginning.
        first_block: u64,
        /// Their root.
        proof: Vec<u8>,
    },
    /// Asks for a word that lets one more connection in. Answer: `Ticket`.
    Ticket,
    /// Logs in with such a word. Answer: `Welcome`.
    Enter {
        /// The word.
        ticket: Ticket,
    },
    /// Asks for the root of a whole file. Answer: `Root`.
    Root { path: Vec<u8> },
    /// Asks for the digests of a file's blocks. Answer: `Reading`, then digests frames, then an end frame.
    Digests {
        path: Vec<u8>,
        /// Which blocks; those beyond the end of the file are none.
        part: Part,
        /// The file must be of that version, if one is named.
        version: Option<[u8; 16]>,
    },
    /// Asks for parts of a file. Answer: `Reading`, then data frames, then an end frame.
    GetParts {
        path: Vec<u8>,
        /// The file must be of that version, if one is named.
        version: Option<[u8; 16]>,
        /// Ascending and apart.
        parts: Vec<Part>,
    },
    /// Begins a file whose parts come in any order, and over any sessions of the account. Answer: `Assembling`.
    Assemble {
        path: Vec<u8>,
        /// Bytes of the whole file.
        size: u64,
        /// What no part brings is that of the file that has the name now, and is of that version.
        onto: Option<[u8; 16]>,
    },
    /// Brings parts of such a file: data frames and an end frame follow at once. Answer: `Done`.
    PutParts {
        /// By what `Assembling` names it.
        assembly: [u8; 16],
        /// Bytes of the whole file.
        size: u64,
        /// Ascending and apart.
        parts: Vec<Part>,
    },
    /// Publishes such a file. Answer: `Stored`.
    Publish {
        /// By what `Assembling` names it.
        assembly: [u8; 16],
        /// The root of the whole file.
        root: Vec<u8>,
        /// Time of modification.
        modified: Option<Time>,
        /// Permission bits (POSIX), of which the lower nine count.
        mode: Option<u32>,
    },
    /// Gives such a file up. Answer: `Done`.
    Leave {
        /// By what `Assembling` names it.
        assembly: [u8; 16],
    },
    /// Walks through a directory as `Walk` does, and sends the files that it finds. Answer: `Listing`, then branches, each with what
    /// a `Get` of each of its files is answered behind it.
    GetTree { path: Vec<u8> },
    /// Goes to where a tree is to come, as `cp -r` would have it: to `name` in the directory `path`, if that is one already, else to
    /// `path`; which is made if it is not there. Until another directory is gone to, no relative path leads anywhere if this is
    /// refused. Answer: `Target`.
    Target {
        path: Vec<u8>,
        /// A name, or nothing: then what is in the tree comes into `path`.
        name: Vec<u8>,
    },
}

/// Blocks of a file that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Part {
    /// The first of them.
    pub first_block: u64,
    /// How many; never 0 in a list of parts.
    pub blocks: u64,
}

impl Command {
    /// The verb, for a log.
    pub fn verb(&self) -> &'static str {
        match self {
            Command::Hello { .. } => "hello",
            Command::Login { .. } => "login",
            Command::Pwd => "pwd",
            Command::Cd { .. } => "cd",
            Command::CdUp => "cdup",
            Command::List { .. } => "list",
            Command::Stat { .. } => "stat",
            Command::Get { .. } => "get",
            Command::Put { .. } => "put",
            Command::Mkdir { .. } => "mkdir",
            Command::Rmdir { .. } => "rmdir",
            Command::Remove { .. } => "remove",
            Command::Rename { .. } => "rename",
            Command::SetAttributes { .. } => "set-attributes",
            Command::Md5 { .. } => "md5",
            Command::Quit => "quit",
            Command::Walk { .. } => "walk",
            Command::Link { .. } => "link",
            Command::Resume { .. } => "get",
            Command::Kept { .. } => "kept",
            Command::PutRest { .. } => "put",
            Command::Ticket => "ticket",
            Command::Enter { .. } => "enter",
            Command::Root { .. } => "root",
            Command::Digests { .. } => "digests",
            Command::GetParts { .. } => "get-parts",
            Command::Assemble { .. } => "assemble",
            Command::PutParts { .. } => "put-parts",
            Command::Publish { .. } => "put",
            Command::Leave { .. } => "leave",
            Command::GetTree { .. } => "get-tree",
            Command::Target { .. } => "target",
        }
    }

    /// The path that the command is about, for a log; empty when there is none.
    pub fn path(&self) -> &[u8] {
        match self {
            Command::Cd { path }
            | Command::List { path }
            | Command::Stat { path }
            | Command::Get { path, .. }
            | Command::Put { path, .. }
            | Command::Mkdir { path }
            | Command::Rmdir { path }
            | Command::Remove { path }
            | Command::Rename { from: path, .. }
            | Command::SetAttributes { path, .. }
            | Command::Md5 { path }
            | Command::Walk { path }
            | Command::Link { path, .. }
            | Command::Resume { path, .. }
            | Command::Kept { path }
            | Command::PutRest { path, .. }
            | Command::Root { path }
            | Command::Digests { path, .. }
            | Command::GetParts { path, .. }
            | Command::Assemble { path, .. }
            | Command::GetTree { path }
            | Command::Target { path, .. } => path,
            Command::Hello { .. }
            | Command::Login { .. }
            | Command::Pwd
            | Command::CdUp
            | Command::Quit
            | Command::Ticket
            | Command::Enter { .. }
            | Command::PutParts { .. }
            | Command::Publish { .. }
            | Command::Leave { .. } => &[],
        }
    }
}

/// A password on its way: shown as `***`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: String) -> Secret {
        Secret(password)
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A word that lets one connection in: shown as `***`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ticket([u8; 32]);

impl Ticket {
    /// Wraps the word.
    pub fn new(word: [u8; 32]) -> Ticket {
        Ticket(word)
    }

    /// The word itself.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_never_shown() {
        let shown =
            format!("{:?} {:#?}", Command::Enter { ticket: Ticket::new([77; 32]) }, Ticket::new([77; 32]));
        assert!(shown.contains("***") && !shown.contains("77"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let login = Command::Login { user: "alice".into(), password: Secret::new("hunter2".into()) };
        let shown = format!("{login:?} {login:#?}");
        assert!(shown.contains("alice") && shown.contains("***") && !shown.contains("hunter2"));
    }
}
