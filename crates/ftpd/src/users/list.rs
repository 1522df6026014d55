//! The table of `ftpd user list`.

use std::io::{self, Write};

use store::escaped;

use crate::config::{Config, Size};
use crate::shell;

/// Writes a row for each user, in the order of their names, with as much width as they take.
pub(super) fn write(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let mut rows = vec![["NAME", "ACCESS", "HOME", "QUOTA"].map(String::from)];
    rows.extend(config.users.iter().map(|(name, user)| {
        let home = escaped(user.home.as_os_str().as_encoded_bytes()).to_string();
        let quota = user.quota.map_or("-".into(), |bytes| Size(bytes).to_string());
        [name.clone(), user.access.name().into(), home, quota]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [name, access, home] = [width(0), width(1), width(2)];
    for row in &rows {
        writeln!(out, "{:name$}  {:access$}  {:home$}  {}", row[0], row[1], row[2], row[3])?;
    }
    if config.users.is_empty() {
        writeln!(out, "nobody yet. add someone: {}", shell::ftpd(&config.file, "user add NAME --home DIR"))?;
    }
    Ok(())
}
