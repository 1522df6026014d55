//! What a Rust source names: paths and identifiers, as its tokens show them. Comments and strings are no tokens, and what
//! stands in a macro's brackets is.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source and what it names.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) krate: String,
    /// From the crate's directory on: `src/core/mod.rs`.
    pub(super) file: String,
    /// Every path of two parts or more, and every import, whole: `use a::{b, c::d}` is `a::b` and `a::c::d`. What begins with
    /// `self` or `super` begins with `crate` here.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Every identifier.
    pub(super) names: BTreeSet<String>,
}

pub(super) fn read(krate: &str, file: &str, text: &str) -> Source {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{krate}/{file}: {error}"));
    let mut source =
        Source { krate: krate.into(), file: file.into(), paths: BTreeSet::new(), names: BTreeSet::new() };
    source.read_tokens(&Tokens::of(tokens), &module_of(file));
    source
}

/// The module that a file is, as the parts of its path.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    parts.map(str::to_owned).collect()
}

/// The tokens between two brackets.
struct Tokens(Vec<TokenTree>);

impl Tokens {
    fn of(stream: TokenStream) -> Tokens {
        Tokens(stream.into_iter().collect())
    }

    fn name(&self, at: usize) -> Option<String> {
        match self.0.get(at)? {
            TokenTree::Ident(name) => Some(name.to_string().trim_start_matches("r#").to_owned()),
            _ => None,
        }
    }

    fn is_punct(&self, at: usize, wanted: char) -> bool {
        matches!(self.0.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
    }

    fn is_separator(&self, at: usize) -> bool {
        self.is_punct(at, ':') && self.is_punct(at + 1, ':')
    }

    fn braces(&self, at: usize) -> Option<Tokens> {
        match self.0.get(at)? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                Some(Tokens::of(group.stream()))
            }
            _ => None,
        }
    }
}

impl Source {
    fn read_tokens(&mut self, tokens: &Tokens, module: &[String]) {
        let mut at = 0;
        while at < tokens.0.len() {
            let Some(name) = tokens.name(at) else {
                if let TokenTree::Group(group) = &tokens.0[at] {
                    self.read_tokens(&Tokens::of(group.stream()), module);
                }
                at += 1;
                continue;
            };
            self.names.insert(name.clone());
            match name.as_str() {
                "use" => at = self.read_import(tokens, at + 1, &[], module),
                "mod" if tokens.braces(at + 2).is_some() => {
                    let inner = [module, tokens.name(at + 1).as_slice()].concat();
                    self.read_tokens(&tokens.braces(at + 2).unwrap(), &inner);
                    at += 3;
                }
                "extern" if tokens.name(at + 1).as_deref() == Some("crate") => {
                    self.paths.extend(tokens.name(at + 2).map(|name| vec![name]));
                    at += 3;
                }
                _ => at = self.read_path(tokens, at, module),
            }
        }
    }

    /// Reads a path; returns where it ends.
    fn read_path(&mut self, tokens: &Tokens, mut at: usize, module: &[String]) -> usize {
        let mut path = Vec::new();
        while let Some(name) = tokens.name(at) {
            self.names.insert(name.clone());
            path.push(name);
            at += 1;
            if !tokens.is_separator(at) {
                break;
            }
            at += 2;
        }
        if path.len() > 1 {
            self.paths.insert(from_crate(path, module));
        }
        at
    }

    /// Reads one branch of an import, all of it in `before`; returns where it ends.
    fn read_import(&mut self, tokens: &Tokens, mut at: usize, before: &[String], module: &[String]) -> usize {
        let mut path = before.to_vec();
        loop {
            if tokens.is_separator(at) {
                at += 2;
            } else if let Some(name) = tokens.name(at).filter(|name| name != "as") {
                self.names.insert(name.clone());
                path.push(name);
                at += 1;
            } else if let Some(branches) = tokens.braces(at) {
                let mut branch = 0;
                while branch < branches.0.len() {
                    branch = self.read_import(&branches, branch, &path, module) + 1;
                }
                return at + 1;
            } else {
                break;
            }
        }
        if !path.is_empty() {
            self.paths.insert(from_crate(path, module));
        }
        while at < tokens.0.len() && !tokens.is_punct(at, ',') && !tokens.is_punct(at, ';') {
            at += 1; // `as other`, `*`
        }
        at
    }
}

/// A path that begins at the crate, if it began at the module that it stands in, or above.
fn from_crate(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut here = module.to_vec();
    let mut rest = &path[..];
    match path[0].as_str() {
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                here.pop();
                rest = &rest[1..];
            }
        }
        _ => return path,
    }
    [&["crate".to_owned()], &here[..], rest].concat()
}
