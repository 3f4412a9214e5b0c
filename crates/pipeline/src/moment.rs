//! Which frame of a film somebody asks for.

use plan::Plan;
use storyboard::{Class, Problem};

use crate::job::Failure;

/// A place in a film as people name it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// The frame that is visible so many seconds after the film's start; the film's very end shows its last frame.
    Second(f64),
    /// The first frame of a scene of the storyboard, counted from 1.
    Scene(usize),
}

impl Moment {
    /// The frame, counted from the film's start.
    pub(crate) fn frame(self, plan: &Plan) -> Result<u64, Failure> {
        let refuse = |message: String, fix: &str| {
            let problem = Problem::new(Class::Author, "FRAME_OUTSIDE", message).fix(fix);
            Err(Failure::Problems(vec![problem]))
        };
        match self {
            Self::Second(second) => {
                let fps = f64::from(plan.fps);
                let length = plan.frames as f64 / fps;
                if !(second >= 0.0 && second <= length + 1e-6) {
                    let message =
                        format!("The film is {length:.3} s long; there is no picture at {second} s.");
                    return refuse(message, "Name a time within the film.");
                }
                // What was written as the decimal of a frame's time is that frame.
                Ok(((second * fps + 1e-3).floor() as u64).min(plan.frames.saturating_sub(1)))
            }
            Self::Scene(number) => {
                let found = plan.scenes.iter().find(|scene| Some(scene.item) == number.checked_sub(1));
                match found {
                    Some(scene) => Ok(scene.start),
                    None => {
                        let last = plan.scenes.iter().map(|scene| scene.item + 1).max().unwrap_or(0);
                        let message =
                            format!("The storyboard has {last} scenes; there is no scene {number}.");
                        refuse(message, "Scenes are counted from 1.")
                    }
                }
            }
        }
    }
}
