//! That these tests see the defect which they are for, and that what a renderer may not do is told from what it may.

use serde_json::json;

use crate::bitstream::Stream;
use crate::films::{Folder, storyboard};
use crate::numbers;

fn film() -> Stream {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", 1, 40);
    let scene = json!({ "backgroundUri": "clip.mp4", "loopBackgroundVideo": true, "minimumDuration": 3 });
    let film = folder.film("film", &storyboard(&[scene.clone(), scene]), &[]);
    Stream::of(&film.path)
}

#[test]
fn idr_pictures_of_one_number_side_by_side_are_caught() {
    let good = film();
    let pictures = good.samples.len();
    assert_eq!(pictures, 180);
    good.joints().unwrap();
    assert_eq!(good.shown_by_openh264().len(), pictures);
    let idr: Vec<usize> = good.idr_samples().collect();
    assert!(idr.len() >= 2, "{idr:?}");
    // An IDR picture played twice: its copy has its number.
    for place in idr {
        let mut bad = good.clone();
        bad.samples.insert(place, good.samples[place].clone());
        let words = bad.joints().unwrap_err();
        assert!(words.contains("IDR pictures of number"), "{words}");
        assert!(bad.shown_by_openh264().len() <= pictures, "a picture is lost at {place}");
    }
}

#[test]
fn a_film_that_ends_with_an_idr_picture_is_caught() {
    let mut film = film();
    let last = film.idr_samples().last().unwrap();
    film.samples.truncate(last + 1);
    assert!(film.joints().unwrap_err().contains("ends with"));
    film.samples.truncate(last);
    film.joints().unwrap();
}

#[test]
fn a_second_slice_and_a_parameter_set_of_its_own_are_caught() {
    let good = film();
    let mut bad = good.clone();
    let slice = bad.samples[3].units.last().unwrap().clone();
    bad.samples[3].units.push(slice);
    assert!(bad.joints().unwrap_err().contains("slices"));
    let mut bad = good.clone();
    let mut set = bad.sets[0].clone();
    *set.last_mut().unwrap() ^= 64;
    bad.samples[3].units.insert(0, set);
    assert!(bad.joints().unwrap_err().contains("parameter set"));
}
