//! Who somebody is: Ed25519 keys, what is signed with them, and which key belongs to which reviewer (spec 08 sections 4.3
//! and 11.1 G4 and G6).
//!
//! An [`Identity`] signs; a [`Keyring`] says whose signatures are asked for. Keys are made and kept by the host.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use harn_eventlog::Json;
use sha2::{Digest, Sha256};

/// How a key or signature is marked in text.
const MARK: &str = "ed25519:";
/// The schema of a key file.
pub const SCHEMA: &str = "harn-identity/v1";

/// A name with its secret key.
#[derive(Clone)]
pub struct Identity {
    name: String,
    key: SigningKey,
    created_at: String,
}

impl std::fmt::Debug for Identity {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("name", &self.name).field("key_id", &self.key_id()).finish()
    }
}

impl Identity {
    /// An identity of 32 random bytes.
    pub fn new(name: &str, seed: [u8; 32], created_at: &str) -> Identity {
        Identity {
            name: name.to_owned(),
            key: SigningKey::from_bytes(&seed),
            created_at: created_at.to_owned(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key as `ed25519:<base64>`.
    pub fn public_key(&self) -> String {
        format!("{MARK}{}", BASE64.encode(self.key.verifying_key().as_bytes()))
    }

    /// The short name of the key (spec 08 section 2.6).
    pub fn key_id(&self) -> String {
        key_id_of(self.key.verifying_key().as_bytes())
    }

    /// When it was made.
    pub fn created_at(&self) -> &str {
        &self.created_at
    }

    /// Signs a text: `ed25519:<base64>`.
    pub fn sign(&self, text: &str) -> String {
        format!("{MARK}{}", BASE64.encode(&self.key.sign(text.as_bytes()).to_bytes()))
    }

    /// The content of the key file. It holds the secret: only its owner may read it.
    pub fn file_text(&self) -> String {
        let mut text = Json::object([
            ("schema", Json::from(SCHEMA)),
            ("name", self.name.as_str().into()),
            ("created_at", self.created_at.as_str().into()),
            ("public_key", self.public_key().into()),
            ("secret_key", BASE64.encode(self.key.as_bytes()).into()),
        ])
        .canonical();
        text.push('\n');
        text
    }

    /// Reads a key file.
    pub fn parse(text: &str) -> Result<Identity, String> {
        let json = Json::parse(text.trim()).map_err(|_| "the file is not JSON".to_owned())?;
        if json.text("schema") != SCHEMA {
            return Err(format!("the file is not a {SCHEMA}"));
        }
        let seed = BASE64.decode(json.text("secret_key").as_bytes()).ok();
        let seed: [u8; 32] =
            seed.and_then(|s| s.try_into().ok()).ok_or("the secret key is not 32 bytes of base64")?;
        let identity = Identity::new(json.text("name"), seed, json.text("created_at"));
        if identity.name.is_empty() || identity.public_key() != json.text("public_key") {
            return Err("the public key does not belong to the secret key".into());
        }
        Ok(identity)
    }
}

/// Whether `name` can be the name of an identity: it is a file name and a reviewer's name.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(good) {
        return Err(format!(
            "'{name}' is no name for an identity: use letters, digits, '.', '_', '-' and '@'"
        ));
    }
    Ok(())
}

fn key_id_of(public: &[u8]) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(public);
    let mut out = String::from(MARK);
    for byte in digest.iter().take(16) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A public key from its text.
fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes = BASE64.decode(text.strip_prefix(MARK)?.as_bytes()).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}

/// The short name of a public key; none when the text is no key.
pub fn key_id(public: &str) -> Option<String> {
    public_key(public).map(|key| key_id_of(key.as_bytes()))
}

/// Whether `signature` is that of `text` by the key `public`. Weak keys and malleable signatures do not count.
pub fn verifies(public: &str, text: &str, signature: &str) -> bool {
    let signature = signature
        .strip_prefix(MARK)
        .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
        .and_then(|bytes| Signature::from_slice(&bytes).ok());
    match (public_key(public), signature) {
        (Some(key), Some(signature)) => key.verify_strict(text.as_bytes(), &signature).is_ok(),
        _ => false,
    }
}

/// The keys an operator vouches for (`harn.toml`: `[reviewers]`), and whether every answer must be signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: BTreeMap<String, String>,
    required: bool,
}

impl Keyring {
    /// A keyring of public keys by name. With `required`, answers by anyone else do not count.
    pub fn new(keys: BTreeMap<String, String>, required: bool) -> Result<Keyring, String> {
        for (name, key) in &keys {
            if public_key(key).is_none() {
                return Err(format!("the key of reviewer '{name}' is no Ed25519 public key: '{key}'"));
            }
        }
        Ok(Keyring { keys, required })
    }

    /// Whether answers of this reviewer count only with a signature.
    pub fn asks(&self, reviewer: &str) -> bool {
        self.required || self.keys.contains_key(reviewer)
    }

    /// Whether anything asks for signatures at all.
    pub fn is_strict(&self) -> bool {
        self.required || !self.keys.is_empty()
    }

    /// Whether `signature` of `text` is that of the reviewer.
    pub fn accepts(&self, reviewer: &str, text: &str, signature: &str) -> bool {
        self.keys.get(reviewer).is_some_and(|key| verifies(key, text, signature))
    }

    /// The public key of a name.
    pub fn key_of(&self, name: &str) -> Option<&str> {
        self.keys.get(name).map(String::as_str)
    }

    /// Whether the key belongs to anyone here.
    pub fn holds_key(&self, public: &str) -> bool {
        self.keys.values().any(|key| key == public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_text_and_key_only() {
        let (ada, bo) = (Identity::new("ada", [7; 32], "t"), Identity::new("bo", [8; 32], "t"));
        let signature = ada.sign("yes");
        assert!(verifies(&ada.public_key(), "yes", &signature));
        assert!(!verifies(&ada.public_key(), "no", &signature));
        assert!(!verifies(&bo.public_key(), "yes", &signature));
        assert!(!verifies(&ada.public_key(), "yes", "ed25519:AAAA") && !verifies("", "yes", &signature));
    }

    #[test]
    fn a_key_file_reads_back_and_a_mixed_up_one_does_not() {
        let ada = Identity::new("ada", [7; 32], "2026-01-01T00:00:00Z");
        let read = Identity::parse(&ada.file_text()).unwrap();
        assert_eq!((read.name(), read.key_id()), ("ada", ada.key_id()));
        let mixed = ada.file_text().replace(&ada.public_key(), &Identity::new("x", [1; 32], "").public_key());
        assert!(Identity::parse(&mixed).is_err());
        assert!(!format!("{ada:?}").contains(&BASE64.encode(&[7; 32])));
    }

    #[test]
    fn names_are_file_names() {
        for bad in ["", "../x", "a/b", ".hidden", "a b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("ada@example.com").is_ok());
    }
}
