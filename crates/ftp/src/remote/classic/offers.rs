//! What a server says that it can (RFC 2389).

/// How a server tells the MD5 of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digester {
    /// `HASH`, once MD5 is chosen (draft-bryan-ftp-hash).
    Hash,
    /// `XMD5`.
    Xmd5,
    /// `MD5` (draft-twine-ftpmd5).
    Md5,
}

/// The features that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// MLST and MLSD (RFC 3659, section 7).
    pub(super) facts: bool,
    /// Permission bits are among the facts, but only when they are asked for.
    pub(super) hides_modes: bool,
    /// SIZE (RFC 3659, section 4).
    pub(super) size: bool,
    /// MDTM (RFC 3659, section 3).
    pub(super) times: bool,
    /// MFMT (draft-somers-ftp-mfxx).
    pub(super) set_times: bool,
    /// UTF8 (RFC 2640).
    pub(super) utf8: bool,
    pub(super) digester: Option<Digester>,
}

impl Offers {
    /// Reads the lines of an answer to FEAT.
    pub(super) fn read(lines: &[String]) -> Offers {
        let mut offers = Offers::default();
        for line in lines {
            let line = line.trim().to_ascii_uppercase();
            let (name, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match name {
                "MLST" | "MLSD" => {
                    offers.facts = true;
                    offers.hides_modes |= rest.split(';').any(|fact| fact == "UNIX.MODE");
                }
                "SIZE" => offers.size = true,
                "MDTM" => offers.times = true,
                "MFMT" => offers.set_times = true,
                "UTF8" => offers.utf8 = true,
                "HASH" if rest.split(';').any(|one| one.trim_end_matches('*') == "MD5") => {
                    offers.digester = Some(Digester::Hash);
                }
                "XMD5" => _ = offers.digester.get_or_insert(Digester::Xmd5),
                "MD5" => _ = offers.digester.get_or_insert(Digester::Md5),
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Offers {
        Offers::read(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_matters_is_found_however_it_is_written() {
        let offers =
            read("Features:\n EPRT\n MDTM\n mlst type*;size*;modify*;\n REST STREAM\n SIZE\n UTF8\nEnd");
        let wanted = Offers { facts: true, size: true, times: true, utf8: true, ..Offers::default() };
        assert_eq!(offers, wanted);
        assert_eq!(read("no features"), Offers::default());
        assert!(read(" MLST type*;UNIX.mode;size*;").hides_modes);
        assert!(!read(" MLST type*;UNIX.mode*;size*;").hides_modes);
    }

    #[test]
    fn only_md5_is_of_use_and_the_standard_way_goes_first() {
        assert_eq!(read(" HASH SHA-256*;SHA-1").digester, None);
        assert_eq!(read(" HASH SHA-256*;MD5;CRC32\n XMD5").digester, Some(Digester::Hash));
        assert_eq!(read(" XMD5\n HASH MD5*\n MD5").digester, Some(Digester::Hash));
        assert_eq!(read(" XMD5 filename;start;end").digester, Some(Digester::Xmd5));
        assert_eq!(read(" MD5").digester, Some(Digester::Md5));
    }
}
