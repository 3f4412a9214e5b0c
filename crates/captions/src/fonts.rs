//! The fonts that captions are set in: those in the binary, and files of directories that the operator names.
//!
//! Invariants: the set is fixed when it is built; files are in the order of their names; nothing of the system's font
//! configuration is asked. A directory's file is read only when a text needs it (the CJK faces alone are 40 MB).

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

/// Name of the face that captions use unless another is asked for and known.
pub(crate) const DEFAULT_FAMILY: &str = "Inter";

/// How much of a directory's file goes into the digest: the table directory with its checksum of every table.
const HEAD: usize = 64 * 1024;

/// Largest font file that is read.
const LARGEST: u64 = 128 * 1024 * 1024;

/// Where Debian's packages put the emoji and CJK faces.
const DEBIAN: [&str; 2] = ["/usr/share/fonts/truetype/noto", "/usr/share/fonts/opentype/noto"];

macro_rules! embedded {
    ($($family:literal: $($file:literal),+;)+) => {
        &[$($(Embedded {
            family: $family,
            name: $file,
            bytes: include_bytes!(concat!("../../../assets/fonts/", $file)),
        }),+),+]
    };
}

/// The faces in the binary, in the order in which they are asked for a glyph.
const EMBEDDED: &[Embedded] = embedded! {
    "Inter": "Inter-Regular.otf", "Inter-Italic.otf", "Inter-SemiBold.otf", "Inter-SemiBoldItalic.otf",
        "Inter-Bold.otf", "Inter-BoldItalic.otf";
    "Noto Sans": "NotoSans-Regular.ttf", "NotoSans-Bold.ttf";
    "Noto Sans Arabic": "NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf";
    "Noto Sans Hebrew": "NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf";
    "Noto Sans Devanagari": "NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf";
    "Noto Sans Thai": "NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf";
    "Noto Sans Bengali": "NotoSansBengali-Regular.ttf", "NotoSansBengali-Bold.ttf";
    "Noto Sans Tamil": "NotoSansTamil-Regular.ttf", "NotoSansTamil-Bold.ttf";
};

/// A face in the binary.
pub(crate) struct Embedded {
    pub(crate) family: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The files of one family in a directory: those whose names are equal up to the last hyphen.
pub(crate) struct Group {
    /// The common part of the names, lower case without spaces: `notosansgeorgian`.
    pub(crate) stem: String,
    files: Vec<File>,
}

impl Group {
    /// Whether this is a colour emoji font.
    pub(crate) fn is_emoji(&self) -> bool {
        self.stem.contains("emoji")
    }

    /// Whether this is the sans serif of the ideographic scripts.
    pub(crate) fn is_cjk(&self) -> bool {
        self.stem.contains("cjk")
    }

    /// The bytes of its files; a file that has become unreadable is left out, and its glyphs are reported missing.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = Arc<Vec<u8>>> + '_ {
        self.files.iter().filter_map(|file| {
            let bytes = file.bytes.get_or_init(|| std::fs::read(&file.path).ok().map(Arc::new));
            bytes.clone()
        })
    }
}

struct File {
    name: String,
    path: PathBuf,
    length: u64,
    bytes: OnceLock<Option<Arc<Vec<u8>>>>,
}

/// Why fonts could not be had.
#[derive(Debug, thiserror::Error)]
#[error("the font directory {} cannot be read: {source}", .path.display())]
pub struct FontError {
    /// The directory or file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// A fixed set of fonts; cheap to clone.
#[derive(Clone)]
pub struct Fonts(Arc<Inner>);

struct Inner {
    embedded: &'static [Embedded],
    groups: Vec<Group>,
    digest: String,
}

impl Fonts {
    /// Starts with no font at all.
    pub fn builder() -> FontsBuilder {
        FontsBuilder { embedded: &[], directories: Vec::new() }
    }

    /// The faces in the binary, and those of Debian's font directories where they exist.
    ///
    /// # Errors
    /// Where such a directory exists and cannot be read.
    pub fn standard() -> Result<Self, FontError> {
        let existing = DEBIAN.iter().map(Path::new).filter(|path| path.is_dir());
        existing.fold(Self::builder().embedded(), FontsBuilder::directory).build()
    }

    /// Identifies the set: hexadecimal SHA-256 over every face's name and bytes. Of a file in a directory it takes the
    /// length and the first 64 KiB, which hold the checksums of all its tables.
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    pub(crate) fn faces(&self) -> &'static [Embedded] {
        self.0.embedded
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.0.groups
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts").field("digest", &self.0.digest).finish_non_exhaustive()
    }
}

/// Collects what [`Fonts`] consist of.
#[derive(Clone)]
pub struct FontsBuilder {
    embedded: &'static [Embedded],
    directories: Vec<PathBuf>,
}

impl std::fmt::Debug for FontsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontsBuilder").field("directories", &self.directories).finish_non_exhaustive()
    }
}

impl FontsBuilder {
    /// Adds the faces in the binary: Inter, and Noto Sans for Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai,
    /// Bengali and Tamil.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.embedded = EMBEDDED;
        self
    }

    /// Adds the `.ttf`, `.otf` and `.ttc` files that lie in a directory itself. A family is found under the part of the
    /// file name before its last hyphen (`OpenSans-Bold.ttf` for "Open Sans"). Of Noto's hundreds of files only the
    /// regular and bold sans serif faces and colour emoji count.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directories.push(path.into());
        self
    }

    /// Looks at the directories.
    ///
    /// # Errors
    /// Where a directory or the start of a font file cannot be read.
    pub fn build(self) -> Result<Fonts, FontError> {
        let mut files = Vec::new();
        for directory in &self.directories {
            list(directory, &mut files).map_err(|source| FontError { path: directory.clone(), source })?;
        }
        files.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        files.dedup_by(|a, b| a.name == b.name);

        let mut digest = Sha256::new();
        for face in self.embedded {
            feed(&mut digest, face.name, face.bytes.len() as u64, face.bytes);
        }
        let mut groups: Vec<Group> = Vec::new();
        for file in files {
            let head = head(&file.path).map_err(|source| FontError { path: file.path.clone(), source })?;
            feed(&mut digest, &file.name, file.length, &head);
            let stem = stem(&file.name);
            if self.embedded.iter().any(|face| squash(face.family) == stem) {
                continue;
            }
            match groups.iter_mut().find(|group| group.stem == stem) {
                Some(group) => group.files.push(file),
                None => groups.push(Group { stem, files: vec![file] }),
            }
        }
        // The ideographic faces are the largest by far and cover much that others do: they are asked last.
        groups.sort_by_key(Group::is_cjk);
        let digest = hex::encode(digest.finalize());
        Ok(Fonts(Arc::new(Inner { embedded: self.embedded, groups, digest })))
    }
}

fn list(directory: &Path, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned) else {
            continue;
        };
        let metadata = std::fs::metadata(&path)?;
        if metadata.is_file() && metadata.len() <= LARGEST && is_wanted(&name) {
            files.push(File { name, path, length: metadata.len(), bytes: OnceLock::new() });
        }
    }
    Ok(())
}

fn is_wanted(name: &str) -> bool {
    let Some((base, extension)) = name.rsplit_once('.') else { return false };
    if !["ttf", "otf", "ttc"].contains(&extension.to_ascii_lowercase().as_str()) {
        return false;
    }
    if !base.starts_with("Noto") || base.starts_with("NotoColorEmoji") {
        return true;
    }
    // The embedded faces come first anyway; the "Display" and "UI" cuts repeat the plain ones.
    let plain = base.starts_with("NotoSans") && !base.contains("Display") && !base.contains("UI-");
    plain && (base.ends_with("-Regular") || base.ends_with("-Bold"))
}

fn stem(name: &str) -> String {
    let base = name.rsplit_once('.').map_or(name, |(base, _)| base);
    let stem = base.rsplit_once('-').map_or(base, |(stem, _)| stem);
    squash(stem)
}

/// A family's name as it is compared: lower case, letters and digits only.
pub(crate) fn squash(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::with_capacity(HEAD);
    std::fs::File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn feed(digest: &mut Sha256, name: &str, length: u64, bytes: &[u8]) {
    digest.update((name.len() as u64).to_le_bytes());
    digest.update(name);
    digest.update(length.to_le_bytes());
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}
