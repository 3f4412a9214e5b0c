//! Random use against a model: a list of bodies by last use.

use artefacts::{Artefacts, Found, Kind};
use proptest::prelude::*;

use crate::{TRAILER, body, files, keep, key, place};

const LIMIT: u64 = 4_000;

#[derive(Debug, Clone)]
enum Act {
    Keep(usize, u64, usize),
    Abandon(usize),
    Find(usize, u64),
    Spoil(usize, u64, usize),
    Prune(u64),
    Reopen,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (kind, number) = (0..4usize, 0..4u64);
    let one = prop_oneof![
        4 => (kind.clone(), number.clone(), 0..2_000usize).prop_map(|(k, n, size)| Act::Keep(k, n, size)),
        1 => kind.clone().prop_map(Act::Abandon),
        4 => (kind.clone(), number.clone()).prop_map(|(k, n)| Act::Find(k, n)),
        1 => (kind, number, any::<usize>()).prop_map(|(k, n, at)| Act::Spoil(k, n, at)),
        1 => (0..LIMIT).prop_map(Act::Prune),
        1 => Just(Act::Reopen),
    ];
    proptest::collection::vec(one, 1..60)
}

/// Oldest first.
#[derive(Default)]
struct Model(Vec<((Kind, u64), Vec<u8>)>);

impl Model {
    fn held(&self) -> u64 {
        self.0.iter().map(|(_, body)| body.len() as u64 + TRAILER).sum()
    }

    fn take(&mut self, name: (Kind, u64)) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|(one, _)| *one == name)?;
        Some(self.0.remove(at).1)
    }

    fn shrink(&mut self, limit: u64, to: u64, spare: usize) {
        if self.held() > limit || limit == 0 {
            while self.0.len() > spare && (self.held() > to || limit == 0) {
                self.0.remove(0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn as_the_model_says(acts in acts()) {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = Artefacts::open(directory.path(), LIMIT).unwrap();
        let mut model = Model::default();
        for (turn, act) in acts.into_iter().enumerate() {
            match act {
                Act::Keep(kind, number, size) => {
                    let kind = Kind::ALL[kind];
                    let text = vec![turn as u8; size];
                    prop_assert_eq!(keep(&cache, kind, &key(number), &text).read().unwrap(), text.clone());
                    model.take((kind, number));
                    model.0.push(((kind, number), text));
                    model.shrink(LIMIT, LIMIT - LIMIT / 64, 1);
                }
                Act::Abandon(kind) => {
                    let draft = cache.draft(Kind::ALL[kind]).unwrap();
                    std::io::Write::write_all(&mut draft.file(), b"half").unwrap();
                }
                Act::Find(kind, number) => {
                    let kind = Kind::ALL[kind];
                    let expected = model.take((kind, number));
                    prop_assert_eq!(body(&cache.find(kind, &key(number))), expected.clone());
                    model.0.extend(expected.map(|text| ((kind, number), text)));
                }
                Act::Spoil(kind, number, at) => {
                    let kind = Kind::ALL[kind];
                    if model.take((kind, number)).is_some() {
                        let place = place(&cache, kind, &key(number));
                        let mut bytes = std::fs::read(&place).unwrap();
                        let at = at % bytes.len();
                        bytes[at] ^= 0x40;
                        std::fs::write(&place, bytes).unwrap();
                        prop_assert!(matches!(cache.find(kind, &key(number)), Found::Damaged));
                    }
                }
                Act::Prune(to) => {
                    cache.prune(to).unwrap();
                    model.shrink(to, to, 0);
                }
                Act::Reopen => cache = Artefacts::open(directory.path(), LIMIT).unwrap(),
            }
            prop_assert_eq!(cache.survey().unwrap().total().bytes, model.held());
            prop_assert!(model.held() <= LIMIT);
            prop_assert_eq!(files(directory.path()).len(), model.0.len(), "no draft stays");
        }
    }
}
