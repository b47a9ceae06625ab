use std::fmt;

/// What BCP-47 calls a language that could not be determined.
pub const UNDETERMINED: &str = "und";

/// Characters that detection looks at: more does not make it surer.
const SAMPLE: usize = 4_000;

/// Subtags that a tag may have: more than any registered one has.
const MOST_SUBTAGS: usize = 8;

/// A BCP-47 language tag, in the casing that it was given in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// `None` unless `tag` is made of subtags of 1 to 8 ASCII letters and digits,
    /// the first one of letters, joined by hyphens (RFC 5646, section 2.1).
    pub fn parse(tag: &str) -> Option<Self> {
        let mut subtags = tag.split('-');
        let primary = subtags.next()?;
        let well_formed = (2..=8).contains(&primary.len())
            && primary.bytes().all(|b| b.is_ascii_alphabetic())
            && tag.split('-').count() <= MOST_SUBTAGS
            && subtags.all(|subtag| {
                (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
            });
        well_formed.then(|| Self(tag.to_owned()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its primary language, e.g. `en` of `en-GB`, in lower case.
    pub fn primary(&self) -> String {
        self.0.split('-').next().unwrap_or_default().to_ascii_lowercase()
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The language that `text` is written in, by its letters and trigrams; `und`
/// where that is not sure.
pub fn detect_language(text: &str) -> LanguageTag {
    let sample: String = text.chars().take(SAMPLE).collect();
    let code = whatlang::detect(&sample)
        .filter(|info| info.is_reliable())
        .and_then(|info| isolang::Language::from_639_3(info.lang().code()))
        .map_or(UNDETERMINED, |language| {
            language.to_639_1().unwrap_or_else(|| language.to_639_3())
        });
    LanguageTag(code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{LanguageTag, detect_language};

    #[test]
    fn languages_are_told_by_two_letter_tags() {
        let english = "The foreign minister travelled to the capital this week for talks on trade.";
        let french =
            "Le ministre des affaires étrangères s'est rendu cette semaine dans la capitale.";
        assert_eq!(detect_language(english).as_str(), "en");
        assert_eq!(detect_language(french).as_str(), "fr");
        assert_eq!(detect_language("1234").as_str(), "und");
    }

    #[test]
    fn tags_are_checked() {
        assert!(LanguageTag::parse("en-GB").is_some_and(|tag| tag.primary() == "en"));
        for wrong in ["", "e", "en_GB", "en-", "english language", "1n"] {
            assert!(LanguageTag::parse(wrong).is_none(), "{wrong}");
        }
    }
}
