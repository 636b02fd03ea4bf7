//! What operators answer, and the secrets in that: words that are wiped when dropped, and shown by nothing.
//!
//! A secret is written down in one place only: the frame that carries an operator's answer, or what his environment sends
//! along, over the socket.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::core::question::Response;

/// An answer to a question that children wait with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    Accept,
    /// The passphrase, the password, or whatever a server asks for.
    Secret(Secret),
    Refuse,
}

impl Answer {
    /// What the model may know of it.
    pub fn response(&self) -> Response {
        match self {
            Self::Accept => Response::Accept,
            Self::Secret(_) => Response::Secret,
            Self::Refuse => Response::Refuse,
        }
    }
}

/// Variables of an operator's environment that go to hosts with his commands (`SendEnv`), by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Environment(Vec<(String, Secret)>);

impl Environment {
    /// Those whose names are wanted.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let secret = |(name, value): (&String, &String)| (name.clone(), Secret::new(value.clone()));
        Self(variables.into_iter().map(secret).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// A secret.  Copies share the words.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    pub fn new(words: String) -> Self {
        Self(Arc::new(Zeroizing::new(words)))
    }

    /// Whether it is a copy of that one: given once, and passed on.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The words themselves, for whoever has to use them.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Secrets by the names of the variables they are for.
pub type Named = Vec<(String, Secret)>;

/// Never the words.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, Secret};

    #[test]
    fn a_secret_is_shown_by_nothing() {
        let secret = Secret::new("open sesame".to_string());
        assert_eq!(secret.reveal(), "open sesame");
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret))
                .matches("sesame")
                .count(),
            0
        );
        let (name, value) = ("TOKEN".to_string(), "open sesame".to_string());
        let environment = format!("{:?}", Environment::of([(&name, &value)]));
        assert!(environment.contains("TOKEN") && !environment.contains("sesame"));
    }
}
