//! What logs of network traffic must not show: values of sensitive headers and query parameters (spec 06 section 6.1).

use url::Url;

/// What stands in place of a secret.
pub const HIDDEN: &str = "[redacted]";

const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
];

const PARAMETERS: &[&str] = &[
    "api_key",
    "apikey",
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "password",
    "secret",
    "token",
];

/// Whether the value of this header is a secret. The name is lower case.
pub fn is_sensitive_header(name: &str) -> bool {
    HEADERS.contains(&name)
}

fn is_sensitive_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PARAMETERS.contains(&name.as_str()) || name.ends_with("_token") || name.ends_with("_secret")
}

/// A URL whose sensitive query values and password are hidden; text that is no URL stays as it is.
pub fn url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    let hides = url.query_pairs().any(|(name, _)| is_sensitive_parameter(&name));
    if !hides && url.password().is_none() {
        return text.to_owned();
    }
    if url.password().is_some() {
        // A URL that has a password can be given another.
        let _ = url.set_password(Some(HIDDEN));
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| {
            let shown = if is_sensitive_parameter(&name) { HIDDEN.to_owned() } else { value.into_owned() };
            (name.into_owned(), shown)
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_query_are_hidden_and_the_rest_stays() {
        assert_eq!(
            url("https://a.test/f?keep=1&api_key=s3cret"),
            "https://a.test/f?keep=1&api_key=%5Bredacted%5D"
        );
        assert_eq!(url("https://a.test/f?my_token=x"), "https://a.test/f?my_token=%5Bredacted%5D");
        assert_eq!(url("https://a.test/f?q=a+b"), "https://a.test/f?q=a+b");
    }

    #[test]
    fn a_password_in_a_url_is_hidden() {
        assert!(!url("https://u:pw123@a.test/").contains("pw123"));
    }
}
