//! Which families a text needs: registers faces with the shaper and asks their character maps.
//!
//! Invariant: the families of a text depend on the text, its language and the fonts alone, not on what was set before;
//! a group of files that an earlier text had loaded is not offered to a text that does not need it.

use std::collections::BTreeSet;
use std::sync::Arc;

use parley::fontique::{
    Blob, Collection, CollectionOptions, FontInfo, FontInfoOverride, GenericFamily, SourceCache,
};
use parley::{FontContext, FontFamily, FontFamilyName};

use crate::fonts::{DEFAULT_FAMILY, Fonts, squash};
use crate::text::{Text, is_cjk, is_ignorable};

/// Families that are often asked for and stand close enough to Inter.
const SUBSTITUTED: [&str; 16] = [
    "arial",
    "helvetica",
    "helveticaneue",
    "verdana",
    "roboto",
    "opensans",
    "lato",
    "montserrat",
    "poppins",
    "nunito",
    "segoeui",
    "tahoma",
    "trebuchetms",
    "calibri",
    "sourcesanspro",
    "ubuntu",
];

/// The families that a text is set in.
pub(crate) struct Families {
    /// For text, in the order in which they are asked.
    text: Vec<FontFamilyName<'static>>,
    /// The same with the emoji face first.
    emoji: Vec<FontFamilyName<'static>>,
    /// Characters that no family has, in order.
    pub(crate) missing: Vec<char>,
}

impl Families {
    pub(crate) fn text(&self) -> FontFamily<'_> {
        FontFamily::List(self.text.as_slice().into())
    }

    pub(crate) fn emoji(&self) -> FontFamily<'_> {
        FontFamily::List(self.emoji.as_slice().into())
    }
}

/// What a family that was asked for became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Family {
    /// It is there, under this name; its group of files is to be loaded first where it is of a directory.
    Known(String, Option<usize>),
    /// Inter stands in for a common family.
    Substituted,
    /// Nothing of that name is known; Inter is used.
    Unknown,
}

/// A registered face with its bytes, for its character map.
struct Face {
    info: FontInfo,
    bytes: Blob<u8>,
}

impl Face {
    fn has(&self, c: char) -> bool {
        let charmap = self.info.charmap_index().charmap(self.bytes.data());
        charmap.and_then(|charmap| charmap.map(c)).is_some_and(|glyph| glyph != 0)
    }
}

/// A group of files that has been read.
struct Loaded {
    names: Vec<String>,
    faces: Vec<Face>,
}

/// The registered faces.
pub(crate) struct Coverage {
    fonts: Fonts,
    base: Vec<Face>,
    base_families: Vec<&'static str>,
    loaded: Vec<Option<Loaded>>,
}

impl Coverage {
    /// Registers the faces in the binary.
    pub(crate) fn new(fonts: Fonts) -> (Self, FontContext) {
        let options = CollectionOptions { shared: false, system_fonts: false };
        let mut context =
            FontContext { collection: Collection::new(options), source_cache: SourceCache::default() };
        let mut base = Vec::new();
        let mut base_families: Vec<&'static str> = Vec::new();
        let mut ids = Vec::new();
        for face in fonts.faces() {
            let bytes = Blob::new(Arc::new(face.bytes));
            let named = FontInfoOverride { family_name: Some(face.family), ..FontInfoOverride::default() };
            for (id, infos) in context.collection.register_fonts(bytes.clone(), Some(named)) {
                ids.push(id);
                base.extend(infos.into_iter().map(|info| Face { info, bytes: bytes.clone() }));
            }
            if !base_families.contains(&face.family) {
                base_families.push(face.family);
            }
        }
        // What the shaper takes when none of the named families resolves.
        context.collection.set_generic_families(GenericFamily::SansSerif, ids.into_iter());
        let loaded = fonts.groups().iter().map(|_| None).collect();
        (Self { fonts, base, base_families, loaded }, context)
    }

    /// Looks a family up by the name that a client gave.
    pub(crate) fn family(&self, asked: &str) -> Family {
        let wanted = squash(asked);
        if let Some(name) = self.base_families.iter().find(|name| squash(name) == wanted) {
            return Family::Known((*name).to_owned(), None);
        }
        let group = self.fonts.groups().iter().position(|group| group.stem == wanted && !group.is_emoji());
        match group {
            Some(group) => Family::Known(asked.to_owned(), Some(group)),
            None if SUBSTITUTED.contains(&wanted.as_str()) => Family::Substituted,
            None => Family::Unknown,
        }
    }

    /// The families for a text, whose files are read now if they were not before.
    pub(crate) fn families(
        &mut self,
        context: &mut FontContext,
        family: &Family,
        texts: &[Text],
        language: &str,
    ) -> Families {
        let (mut plain, mut emoji) = (BTreeSet::new(), BTreeSet::new());
        for text in texts {
            let mut ranges = text.emoji.iter().peekable();
            for (index, c) in
                text.text.char_indices().filter(|(_, c)| !c.is_whitespace() && !is_ignorable(*c))
            {
                while ranges.next_if(|range| range.end <= index).is_some() {}
                let into = if ranges.peek().is_some_and(|range| range.contains(&index)) {
                    &mut emoji
                } else {
                    &mut plain
                };
                into.insert(c);
            }
        }

        let mut needed = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let emoji_group = self.fonts.groups().iter().position(crate::fonts::Group::is_emoji);
        for c in emoji {
            match emoji_group {
                Some(group) if self.load(context, group).faces.iter().any(|face| face.has(c)) => {
                    needed.insert(group);
                }
                _ => {
                    plain.insert(c);
                }
            }
        }
        let mut first = None;
        if let Family::Known(_, Some(group)) = family {
            first = self.load(context, *group).names.first().cloned();
        }
        for c in plain {
            if self.base.iter().any(|face| face.has(c)) {
                continue;
            }
            match self.group_of(context, c) {
                Some(group) => {
                    needed.insert(group);
                }
                None => {
                    missing.insert(c);
                }
            }
        }

        let mut names: Vec<String> = first.into_iter().collect();
        if let Family::Known(name, None) = family {
            names.push(name.clone());
        }
        names.push(DEFAULT_FAMILY.to_owned());
        names.extend(self.base_families.iter().map(|name| (*name).to_owned()));
        let mut emoji_names = Vec::new();
        for group in needed {
            let is_cjk = self.fonts.groups()[group].is_cjk();
            let loaded = self.load(context, group);
            if Some(group) == emoji_group {
                emoji_names.clone_from(&loaded.names);
            } else if is_cjk {
                names.push(regional(&loaded.names, texts, language));
            } else {
                names.extend(loaded.names.iter().cloned());
            }
        }
        let named =
            |names: &[String]| names.iter().map(|name| FontFamilyName::Named(name.clone().into())).collect();
        Families {
            text: named(&[names.clone(), emoji_names.clone()].concat()),
            emoji: named(&[emoji_names, names].concat()),
            missing: missing.into_iter().collect(),
        }
    }

    /// The first group that has a character; the ideographic faces are asked first for what is theirs.
    fn group_of(&mut self, context: &mut FontContext, c: char) -> Option<usize> {
        let mut order: Vec<usize> = (0..self.loaded.len()).collect();
        if is_cjk(c) {
            order.sort_by_key(|group| !self.fonts.groups()[*group].is_cjk());
        }
        order.into_iter().find(|group| self.load(context, *group).faces.iter().any(|face| face.has(c)))
    }

    fn load(&mut self, context: &mut FontContext, group: usize) -> &Loaded {
        let Self { fonts, loaded, .. } = self;
        loaded[group].get_or_insert_with(|| {
            let (mut names, mut faces) = (Vec::new(), Vec::new());
            for bytes in fonts.groups()[group].bytes() {
                let bytes = Blob::new(Arc::new(Bytes(bytes)));
                for (id, infos) in context.collection.register_fonts(bytes.clone(), None) {
                    let name = context.collection.family_name(id).map(ToOwned::to_owned);
                    names.extend(name.filter(|name| !names.contains(name)));
                    faces.extend(infos.into_iter().map(|info| Face { info, bytes: bytes.clone() }));
                }
            }
            Loaded { names, faces }
        })
    }
}

/// Shares a file's bytes with the shaper.
struct Bytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Of the families of an ideographic font the one whose letter forms the language expects.
fn regional(names: &[String], texts: &[Text], language: &str) -> String {
    let has = |range: std::ops::RangeInclusive<u32>| {
        texts.iter().any(|text| text.text.chars().any(|c| range.contains(&u32::from(c))))
    };
    let region = match language {
        "ja" => "JP",
        "ko" => "KR",
        "zh-hk" | "zh-mo" => "HK",
        "zh-tw" | "zh-hant" => "TC",
        _ if language.starts_with("zh") => "SC",
        _ if has(0x3040..=0x30ff) => "JP",
        _ if has(0xac00..=0xd7a3) => "KR",
        _ => "SC",
    };
    let fits = |name: &&String| name.ends_with(region) && !name.contains("Mono");
    names.iter().find(fits).or(names.first()).cloned().unwrap_or_default()
}
