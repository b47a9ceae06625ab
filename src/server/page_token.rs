use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bytes of a query's hash that a token carries.
const MARK: usize = 12;

/// Where a listing goes on, bound to the query that it lists.
pub(super) fn encode(query: &impl Debug, position: i64) -> String {
    let mut token = mark(query);
    token.extend(position.to_be_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

/// `None` unless `token` was made for the same query.
pub(super) fn decode(query: &impl Debug, token: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (found, position) = bytes.split_at_checked(MARK)?;
    let position = position.try_into().ok().map(i64::from_be_bytes)?;
    (found == mark(query)).then_some(position)
}

fn mark(query: &impl Debug) -> Vec<u8> {
    let mut hash = Sha256::digest(format!("page of {query:?}")).to_vec();
    hash.truncate(MARK);
    hash
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use proptest::prelude::*;

    #[test]
    fn a_token_is_good_for_its_query_alone() {
        let token = encode(&"a", 42);
        assert_eq!(decode(&"a", &token), Some(42));
        assert_eq!(decode(&"b", &token), None);
    }

    proptest! {
        #[test]
        fn no_text_that_is_not_a_token_is_taken_for_one(text in any::<String>()) {
            prop_assert_eq!(decode(&"a", &text), None);
        }
    }
}
