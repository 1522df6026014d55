//! Commands that are answered by a word or a line.

use digest::Digest;
use store::Attributes;

use super::look::Needed;
use super::transfer::Sink;
use super::{Classic, listing, words};
use crate::failure::{Code, Failure};
use crate::progress::Progress;

impl Classic {
    pub(in crate::remote) async fn pwd(&mut self) -> Result<String, Failure> {
        self.ready().await?;
        self.directory().await
    }

    pub(in crate::remote) async fn cd(&mut self, path: &str) -> Result<String, Failure> {
        self.ready().await?;
        self.done(&format!("CWD {path}"), path, Needed::Directory).await?;
        self.directory().await
    }

    pub(in crate::remote) async fn cd_up(&mut self) -> Result<String, Failure> {
        self.ready().await?;
        self.done("CDUP", "..", Needed::Directory).await?;
        self.directory().await
    }

    pub(in crate::remote) async fn mkdir(&mut self, path: &str) -> Result<(), Failure> {
        self.ready().await?;
        self.done(&format!("MKD {path}"), path, Needed::FreePlace).await
    }

    pub(in crate::remote) async fn rmdir(&mut self, path: &str) -> Result<(), Failure> {
        self.ready().await?;
        self.done(&format!("RMD {path}"), path, Needed::EmptyDirectory).await
    }

    pub(in crate::remote) async fn remove(&mut self, path: &str) -> Result<(), Failure> {
        self.ready().await?;
        self.done(&format!("DELE {path}"), path, Needed::File).await
    }

    pub(in crate::remote) async fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        self.ready().await?;
        // Before the first half is said, both must be such that they can be.
        self.check(to)?;
        let answer = self.ask(&format!("RNFR {from}")).await?;
        if answer.code != 350 {
            return Err(self.explain(&answer, from, Needed::Something).await);
        }
        self.done(&format!("RNTO {to}"), to, Needed::FreePlace).await
    }

    pub(in crate::remote) async fn set_attributes(
        &mut self,
        path: &str,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        self.ready().await?;
        if let Some(time) = attributes.modified.and_then(listing::time_text) {
            self.done(&format!("MFMT {time} {path}"), path, Needed::Something).await?;
        }
        if let Some(mode) = attributes.mode {
            self.done(&format!("SITE CHMOD {mode:03o} {path}"), path, Needed::Something).await?;
        }
        Ok(())
    }

    /// Size and plain MD5 of a file: as the server tells it, else of what it sends.
    pub(in crate::remote) async fn md5(&mut self, path: &str) -> Result<(u64, Digest), Failure> {
        self.ready().await?;
        if let (Some(digest), Some(size)) = (self.digest(path).await?, self.size(path).await?) {
            return Ok((size, digest));
        }
        let received = self.receive(path, Sink::Nowhere, &Progress::hidden()).await?;
        Ok((received.size, received.md5))
    }

    /// The current directory: `257 "…"`, a quotation mark in it doubled (RFC 959, appendix II).
    pub(super) async fn directory(&mut self) -> Result<String, Failure> {
        let answer = self.ask("PWD").await?;
        match quoted(answer.sentence()) {
            Some(directory) if answer.code == 257 => Ok(directory),
            _ => Err(words::refused(&answer, words::meaning(&answer, "").unwrap_or(Code::Other))),
        }
    }

    /// Sends a command about `path` that is done or refused.
    async fn done(&mut self, command: &str, path: &str, needed: Needed) -> Result<(), Failure> {
        let answer = self.ask(command).await?;
        if answer.is_done() { Ok(()) } else { Err(self.explain(&answer, path, needed).await) }
    }
}

fn quoted(sentence: &str) -> Option<String> {
    let mut letters = sentence.strip_prefix('"')?.chars();
    let mut directory = String::new();
    loop {
        match letters.next()? {
            '"' if letters.as_str().starts_with('"') => directory.extend(letters.next()),
            '"' => return Some(directory),
            letter => directory.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_in_quotation_marks() {
        for (sentence, directory) in [
            (r#""/" is the current directory"#, Some("/")),
            (r#""/a ""b"" c""#, Some(r#"/a "b" c"#)),
            (r#""""""#, Some("\"")),
            (r#""/open"#, None),
            ("/", None),
        ] {
            assert_eq!(quoted(sentence).as_deref(), directory, "{sentence}");
        }
    }
}
