//! The measurements that a command line asks for, one after the other.

use super::Args;
use super::args::Workload;

/// Over a link, `all` moves what a link of some Mbit/s carries in seconds.
const LINK_MIB: u64 = 64;
const LINK_FILES: u64 = 100;

/// One measurement.
#[derive(Debug)]
pub(super) struct Part {
    /// What its files are called in the directory of `--out`.
    pub(super) name: String,
    pub(super) args: Args,
}

/// What is to be measured: of `all`, everything over loopback, and then, if there is to be a link, over it what fits it.
pub(super) fn plan(args: &Args) -> Vec<Part> {
    let over = |link: bool| if link { "-link" } else { "" };
    let part =
        |args: Args| Part { name: format!("{}{}", args.workload.name(), over(args.link.is_some())), args };
    if args.workload != Workload::All {
        return vec![part(args.clone())];
    }
    let near = [Workload::Big, Workload::Tree, Workload::Mixed, Workload::Small, Workload::Growth]
        .map(|workload| part(Args { workload, link: None, ..args.clone() }));
    let far = args.link.map(|_| {
        let mib = Some(args.mib.map_or(LINK_MIB, |mib| mib.min(LINK_MIB)));
        let files = args.files.min(LINK_FILES);
        [Workload::Big, Workload::Tree, Workload::Small]
            .map(|workload| part(Args { workload, mib, files, ..args.clone() }))
    });
    near.into_iter().chain(far.into_iter().flatten()).collect()
}
