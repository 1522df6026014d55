//! The key and certificate of TLS: whether they can be served, and what clients will know the server by.

use super::Finding;
use crate::config::Config;
use crate::tls::{Identity, Tls};

/// A finding where there is TLS.
pub(super) fn finding(config: &Config) -> Option<Finding> {
    config.tls.as_ref()?;
    Some(match Identity::existing(config) {
        Ok(None) => Finding::ok("key: made when it is needed"),
        Ok(Some(identity)) => {
            let fingerprint = identity.fingerprint();
            match Tls::new(identity) {
                Ok(_) => Finding::ok(format!("key: {fingerprint}")),
                Err(error) => Finding::problem(format!("key: {error}")),
            }
        }
        Err(error) => Finding::problem(format!("key: {error}")),
    })
}
