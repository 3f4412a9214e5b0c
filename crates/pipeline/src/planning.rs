//! From a storyboard to a plan: everything that must be asked of the outside world is asked here.
//!
//! Invariant: all media of all scenes is looked at before the job fails, so that its owner sees every problem at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use media::{LocalOpener, ObjectReader, Opened, Opener, SourceError, Usage};
use plan::{MediaInfo, PictureInfo, PlannedSource, Sources, plan_within};
use sha2::{Digest, Sha256};
use storyboard::{Address, BackgroundKind, MediaRef, Music, MusicSource, Problem, Storyboard, Warning};
use worker::Run;

use crate::job::{Failure, JobContext, Stage};
use crate::larder::Larder;
use crate::ledger::Ledger;
use crate::meter::Meter;
use crate::planned::Planned;
use crate::probing::{Key, copy, probe_all};
use crate::problems::{Place, failure, problem};
use crate::shared::Shared;
use crate::staff::{Hands, Staff};
use crate::typesetting::Pages;

pub(crate) async fn plan(
    shared: &Shared,
    storyboard: &Storyboard,
    context: &JobContext,
    hands: Hands,
) -> Result<Planned, Failure> {
    let meter = Meter::new(context);
    meter.report(Stage::Planning, 0, 1, None);
    let (storyboard, own_music) = choose_music(shared, storyboard)?;
    let uses: Vec<MediaRef> = storyboard.media().into_iter().map(|(media, _)| media.clone()).collect();
    let mut warnings = Vec::new();
    let opened = open_all(shared, &uses, own_music.as_ref(), context, &mut warnings).await?;
    let usage = Arc::new(Usage::default());
    let mut usages: HashMap<Key, Arc<Usage>> = HashMap::new();
    let readers: HashMap<Key, Arc<dyn ObjectReader>> = opened
        .iter()
        .filter_map(|(key, opened)| {
            let reader = opened.as_ref().ok()?;
            let own = usages.entry(key.clone()).or_insert_with(|| Usage::part_of(&usage));
            Some((key.clone(), shared.cache.wrap(Arc::clone(reader), Arc::clone(own))))
        })
        .collect();
    let ledger = Arc::new(Ledger::default());
    let staff = Staff::new(hands, Arc::clone(&ledger));
    let larder = Larder::new(shared.settings.artefacts.clone(), Arc::clone(&ledger));
    let nothing =
        Run { sources: BTreeMap::new(), files: Vec::new(), progress: &|_, _| {}, cancel: &context.cancel };
    let versions = staff.versions(shared, nothing).await;
    let versions = versions.map_err(|error| failure(error, |_| Place { pointer: None, file: None }))?;
    let probed = probe_all(shared, (&staff, &larder, &versions), &readers, &meter, context).await;
    let mut problems = Vec::new();
    let mut sources = Sources::default();
    let mut numbered: Vec<Arc<dyn ObjectReader>> = Vec::new();
    let (mut pointers, mut numbered_usages) = (Vec::new(), Vec::new());
    for media in &uses {
        let key = key(media);
        match (opened.get(&key), readers.get(&key), probed.get(&key)) {
            (Some(Err(error)), _, _) => problems.push(error.problem(media)),
            (_, Some(reader), Some(Ok(info))) => {
                let source = PlannedSource {
                    identity: reader.identity().to_owned(),
                    name: media.address.to_string(),
                    media: info.clone(),
                };
                if sources.insert(media, source) == numbered.len() {
                    numbered.push(Arc::clone(reader));
                    numbered_usages.push(usages.get(&key).map(Arc::clone).unwrap_or_default());
                    pointers.push(media.pointer.clone());
                }
            }
            (_, _, Some(Err(error))) => {
                let place =
                    |_| Place { pointer: Some(media.pointer.clone()), file: Some(media.address.to_string()) };
                problems.push(problem(copy(error), place).ok_or(Failure::Cancelled)?);
            }
            _ => problems.push(Problem::new(
                storyboard::Class::Internal,
                "INTERNAL",
                format!("{} was not looked at.", media.address),
            )),
        }
    }
    if context.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let mut stood_in = 0;
    if !problems.is_empty() {
        // The rest is looked at all the same, so that its problems are said in the same answer.
        let stand_ins =
            uses.iter().filter(|media| sources.index(media).is_none()).cloned().collect::<Vec<_>>();
        stood_in = stand_ins.len();
        for media in &stand_ins {
            sources.insert(media, stand_in(media));
        }
    }
    let (typesetter, most) = (Arc::clone(&shared.typesetter), shared.settings.limits.film_seconds);
    // Laying out long texts takes a processor for a while.
    let planned =
        tokio::task::spawn_blocking(move || plan_within(&storyboard, &sources, &Pages(&typesetter), most));
    let planned = planned.await.map_err(|error| {
        tracing::error!(%error, "planning ended early");
        let message = "Planning the film ended early.";
        Failure::Problems(vec![Problem::new(storyboard::Class::Internal, "INTERNAL", message)])
    })?;
    let planned = match planned {
        Ok(planned) if problems.is_empty() => planned,
        Ok(_) => return Err(Failure::Problems(problems)),
        Err(more) => {
            // How long the film would be is not known without all of its media.
            problems
                .extend(more.into_iter().filter(|problem| stood_in == 0 || problem.code != "FILM_TOO_LONG"));
            return Err(Failure::Problems(problems));
        }
    };
    warnings.extend(planned.warnings);
    say_once(&mut warnings);
    meter.report(Stage::Planning, 1, 1, None);
    Ok(Planned {
        plan: planned.plan,
        warnings,
        readers: numbered,
        pointers,
        usage,
        usages: numbered_usages,
        staff,
        ledger,
        larder,
        versions,
    })
}

/// In place of an object that cannot be read: whatever is asked of it, nothing more is wrong with it.
fn stand_in(media: &MediaRef) -> PlannedSource {
    const LONG_US: u64 = 24 * 3600 * 1_000_000;
    let kind = BackgroundKind::Video;
    PlannedSource {
        identity: format!("unread {:?} {:?}", media.connection, media.address),
        name: media.address.to_string(),
        media: MediaInfo {
            picture: Some(PictureInfo { kind, width: 1920, height: 1080, duration_us: LONG_US }),
            has_audio: true,
            duration_us: Some(LONG_US),
            format: String::new(),
        },
    }
}

/// Openers and captions repeat themselves for each object and each scene.
fn say_once(warnings: &mut Vec<Warning>) {
    let mut said = HashSet::new();
    warnings.retain(|warning| {
        said.insert((warning.code.clone(), warning.pointer.clone(), warning.message.clone()))
    });
}

fn key(media: &MediaRef) -> Key {
    (media.address.clone(), media.connection.clone())
}

/// Opens every distinct object once.
async fn open_all(
    shared: &Shared,
    uses: &[MediaRef],
    own_music: Option<&MediaRef>,
    context: &JobContext,
    warnings: &mut Vec<Warning>,
) -> Result<HashMap<Key, Result<Arc<dyn ObjectReader>, SourceError>>, Failure> {
    let mut distinct: Vec<MediaRef> = Vec::new();
    for media in uses.iter().filter(|media| Some(*media) != own_music) {
        if !distinct.iter().any(|other| key(other) == key(media)) {
            distinct.push(media.clone());
        }
    }
    let mut answers = tokio::select! {
        answers = context.opener.open_all(&distinct) => answers,
        () = context.cancel.cancelled() => return Err(Failure::Cancelled),
    };
    if let (Some(music), Some(folder)) = (own_music, &shared.settings.music) {
        let one = std::slice::from_ref(music);
        answers.extend(LocalOpener::new(folder.clone()).open_all(one).await);
        distinct.push(music.clone());
    }
    let mut opened = HashMap::new();
    for (media, answer) in distinct.iter().zip(answers) {
        let answer = answer.map(|Opened { reader, warnings: more }| {
            warnings.extend(more);
            reader
        });
        opened.insert(key(media), answer);
    }
    Ok(opened)
}

/// Where the storyboard leaves the music to the server and the operator has a folder of it, a track is taken from
/// there: the same for the same storyboard. Otherwise the planner has a bed made.
fn choose_music(shared: &Shared, storyboard: &Storyboard) -> Result<(Storyboard, Option<MediaRef>), Failure> {
    let mut storyboard = storyboard.clone();
    let auto = matches!(&storyboard.music, Some(Music { source: MusicSource::Auto, .. }));
    let Some(folder) = shared.settings.music.as_ref().filter(|_| auto) else {
        return Ok((storyboard, None));
    };
    let names = std::fs::read_dir(folder).map_err(|error| {
        tracing::error!(%error, folder = %folder.display(), "the music folder cannot be read");
        let message = "The server's music folder cannot be read.";
        Failure::Problems(vec![Problem::new(storyboard::Class::Internal, "INTERNAL", message)])
    })?;
    let mut names: Vec<String> = names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    if names.is_empty() {
        return Ok((storyboard, None));
    }
    let words: Vec<&str> = storyboard.scenes.iter().map(|scene| scene.text.as_str()).collect();
    let digest = Sha256::digest(words.join("\n"));
    let number = digest.iter().take(4).fold(0usize, |number, byte| number << 8 | usize::from(*byte));
    let chosen = names.swap_remove(number % names.len());
    let media = MediaRef {
        address: Address::File(chosen),
        connection: None,
        pointer: "/audio/autoBackgroundMusic".to_owned(),
    };
    if let Some(music) = &mut storyboard.music {
        music.source = MusicSource::Media(media.clone());
    }
    Ok((storyboard, Some(media)))
}
