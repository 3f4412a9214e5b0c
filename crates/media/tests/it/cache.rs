use std::sync::Arc;
use std::sync::atomic::Ordering;

use media::{BlockCache, CacheSettings, ObjectReader as _, Usage};
use proptest::prelude::*;

use crate::memory::MemoryReader;

fn cache(capacity: u64, ahead: u64) -> Arc<BlockCache> {
    BlockCache::new(CacheSettings { capacity, block: 100, ahead })
}

fn usage() -> Arc<Usage> {
    Arc::new(Usage::default())
}

#[tokio::test]
async fn blocks_are_read_once_and_counted() {
    let cache = cache(10_000, 0);
    let inner = Arc::new(MemoryReader::new("a", 1050));
    let used = usage();
    let reader = cache.wrap(inner.clone(), used.clone());
    assert_eq!((reader.identity(), reader.size()), ("a", 1050));
    for _ in 0..3 {
        assert_eq!(reader.read(150..160).await.unwrap(), inner.bytes.slice(150..160));
        assert_eq!(reader.read(1000..1050).await.unwrap(), inner.bytes.slice(1000..1050));
        assert_eq!(reader.read(90..110).await.unwrap(), inner.bytes.slice(90..110));
    }
    assert!(reader.read(7..7).await.unwrap().is_empty());
    assert_eq!(inner.asked(), [100..200, 1000..1050, 0..100]);
    assert_eq!((used.bytes(), used.requests()), (250, 3));
    assert_eq!(cache.held(), 250);
    assert!(reader.read(1000..1051).await.is_err());
    let backwards = std::ops::Range { start: 9, end: 8 };
    assert!(reader.read(backwards).await.is_err());
}

#[tokio::test]
async fn many_askers_make_one_request() {
    let cache = cache(10_000, 0);
    let inner = Arc::new(MemoryReader::new("a", 1000).shut());
    let reader = cache.wrap(inner.clone(), usage());
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let reader = Arc::clone(&reader);
        tasks.push(tokio::spawn(async move { reader.read(310..320).await.unwrap() }));
    }
    inner.gate.add_permits(1);
    for task in tasks {
        assert_eq!(task.await.unwrap(), inner.bytes.slice(310..320));
    }
    assert_eq!(inner.asked(), vec![300..400]);
}

#[tokio::test]
async fn an_asker_that_gives_up_leaves_the_others_their_bytes() {
    let cache = cache(10_000, 0);
    let inner = Arc::new(MemoryReader::new("a", 1000).shut());
    let reader = cache.wrap(inner.clone(), usage());
    {
        let asking = reader.read(0..10);
        // Polled once, then dropped.
        assert!(futures::FutureExt::now_or_never(asking).is_none());
    }
    inner.gate.add_permits(1);
    assert_eq!(reader.read(0..10).await.unwrap(), inner.bytes.slice(0..10));
    assert_eq!(inner.asked(), vec![0..100]);
}

#[tokio::test]
async fn a_hit_needs_a_read_of_ones_own() {
    let cache = cache(10_000, 0);
    let first = cache.wrap(Arc::new(MemoryReader::new("a", 1000)), usage());
    first.read(0..10).await.unwrap();

    let stranger = Arc::new(MemoryReader::new("a", 1000));
    stranger.denied.store(true, Ordering::SeqCst);
    let denied = cache.wrap(stranger.clone(), usage());
    assert_eq!(denied.read(0..10).await.unwrap_err().code, "ACCESS_DENIED");

    let owner = Arc::new(MemoryReader::new("a", 1000));
    let used = usage();
    let allowed = cache.wrap(owner.clone(), used.clone());
    allowed.read(0..10).await.unwrap();
    allowed.read(20..30).await.unwrap();
    assert_eq!(owner.asked(), vec![0..1], "one byte as proof, the rest from the cache");
    assert_eq!((used.bytes(), used.requests()), (1, 1));
}

#[tokio::test]
#[allow(clippy::single_range_in_vec_init)] // a range is what is meant
async fn a_proof_is_one_byte_once_or_an_earlier_read() {
    let cache = cache(10_000, 4);
    let inner = Arc::new(MemoryReader::new("a", 1000));
    let used = usage();
    let reader = cache.wrap(inner.clone(), used.clone());
    reader.prove().await.unwrap();
    reader.prove().await.unwrap();
    assert_eq!((inner.asked(), used.bytes(), used.requests()), (vec![0..1], 1, 1));
    reader.read(0..10).await.unwrap();

    // Who has read from outside has proved it; who found all in the cache proves for itself.
    for (permitted, expected) in [(900..910, vec![900..1000]), (0..10, vec![0..1])] {
        let inner = Arc::new(MemoryReader::new("a", 1000));
        let reader = cache.wrap(inner.clone(), usage());
        reader.read(permitted).await.unwrap();
        reader.prove().await.unwrap();
        assert_eq!(inner.asked(), expected);
    }

    let stranger = Arc::new(MemoryReader::new("a", 1000));
    stranger.denied.store(true, Ordering::SeqCst);
    let denied = cache.wrap(stranger.clone(), usage());
    assert_eq!(denied.prove().await.unwrap_err().code, "ACCESS_DENIED");
    // A refusal is not kept.
    stranger.denied.store(false, Ordering::SeqCst);
    denied.prove().await.unwrap();

    let empty = Arc::new(MemoryReader::new("e", 0));
    empty.prove().await.unwrap();
    cache.wrap(empty.clone(), usage()).prove().await.unwrap();
    assert!(empty.asked().is_empty());
}

#[tokio::test]
async fn a_part_is_counted_in_the_whole() {
    let (cache, job) = (cache(10_000, 4), usage());
    let parts = ["a", "b"].map(|name| {
        let part = Usage::part_of(&job);
        (cache.wrap(Arc::new(MemoryReader::new(name, 1000)), part.clone()), part)
    });
    parts[0].0.read(0..150).await.unwrap();
    parts[1].0.read(0..50).await.unwrap();
    parts[1].0.read(950..960).await.unwrap();
    assert_eq!((parts[0].1.bytes(), parts[0].1.requests()), (200, 1));
    assert_eq!((parts[1].1.bytes(), parts[1].1.requests()), (200, 2));
    assert_eq!((job.bytes(), job.requests()), (400, 3));
}

#[tokio::test]
async fn two_who_read_one_object_side_by_side_are_both_read_ahead_of() {
    let cache = cache(1 << 20, 8);
    let inner = Arc::new(MemoryReader::new("a", 20_000));
    let reader = cache.wrap(inner.clone(), usage());
    for start in (0..5_000).step_by(50) {
        reader.read(start..start + 50).await.unwrap();
        reader.read(10_000 + start..10_050 + start).await.unwrap();
    }
    let asked = inner.asked();
    assert!(asked.len() < 45, "{} requests for 100 blocks", asked.len());
}

#[tokio::test]
async fn anothers_failure_is_not_ours_and_is_not_kept() {
    let cache = cache(10_000, 0);
    let failing = Arc::new(MemoryReader::new("a", 1000).shut());
    failing.denied.store(true, Ordering::SeqCst);
    let theirs = cache.wrap(failing.clone(), usage());
    let their_task = {
        let theirs = Arc::clone(&theirs);
        tokio::spawn(async move { theirs.read(0..10).await })
    };
    while failing.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    let good = Arc::new(MemoryReader::new("a", 1000));
    let ours = cache.wrap(good.clone(), usage());
    let our_task = tokio::spawn(async move { ours.read(0..10).await });
    while good.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    failing.gate.add_permits(1);
    assert_eq!(their_task.await.unwrap().unwrap_err().code, "ACCESS_DENIED");
    assert_eq!(our_task.await.unwrap().unwrap(), good.bytes.slice(0..10));
    assert_eq!(good.asked(), vec![0..1, 0..100]);

    failing.denied.store(false, Ordering::SeqCst);
    failing.gate.add_permits(9);
    assert_eq!(theirs.read(500..510).await.unwrap(), good.bytes.slice(500..510));
}

#[tokio::test]
async fn sequential_reading_is_read_ahead_of_and_jumps_are_not() {
    let cache = cache(1 << 20, 4);
    let inner = Arc::new(MemoryReader::new("a", 10_000));
    let used = usage();
    let reader = cache.wrap(inner.clone(), used.clone());
    for start in (0..10_000).step_by(50) {
        reader.read(start..start + 50).await.unwrap();
    }
    let asked = inner.asked();
    assert!(asked.len() < 45, "{} requests for 100 blocks", asked.len());
    assert_eq!(used.bytes(), 10_000, "each byte once");

    let inner = Arc::new(MemoryReader::new("b", 10_000));
    let used = usage();
    let reader = cache.wrap(inner.clone(), used.clone());
    for start in [0, 5000, 2000, 9000] {
        reader.read(start..start + 50).await.unwrap();
    }
    assert_eq!(used.bytes(), 400, "a jump asks for its block only");
}

#[tokio::test]
async fn a_cache_without_room_still_reads() {
    let cache = cache(0, 4);
    let inner = Arc::new(MemoryReader::new("a", 1000));
    let reader = cache.wrap(inner.clone(), usage());
    assert_eq!(reader.read(0..1000).await.unwrap(), inner.bytes);
    assert_eq!(cache.held(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_reads_give_the_objects_bytes(
        size in 1_u64..3000,
        capacity in 0_u64..2000,
        ahead in 0_u64..6,
        cuts in proptest::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let cache = cache(capacity, ahead);
            let readers = [0, 1].map(|_| {
                let inner = Arc::new(MemoryReader::new("a", size as usize));
                (inner.clone(), cache.wrap(inner, usage()))
            });
            for (index, (from, length)) in cuts.iter().enumerate() {
                let start = (from * size as f64) as u64;
                let end = start + (length * (size - start) as f64) as u64;
                let (inner, reader) = &readers[index % 2];
                let bytes = reader.read(start..end).await.unwrap();
                assert_eq!(bytes, inner.bytes.slice(start as usize..end as usize));
                assert!(cache.held() <= capacity);
            }
        });
    }
}
