//! What the server needs from outside, as traits; the command line joins them.

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use pipeline::{
    Drawn, Failure, Film, JobContext, Moment, Outlook, PictureFormat, PreviewScene, Report, Spot,
};
use serde_json::Value;
use storyboard::{Storyboard, Warning};

/// What the owner of an AWS account pastes to let the server in.
#[derive(Debug, Clone, PartialEq)]
pub struct Papers {
    /// The role that will be assumed.
    pub role_arn: String,
    /// The role's trust policy.
    pub trust_policy: Value,
    /// The role's inline policy, with a placeholder for the bucket.
    pub inline_policy: Value,
}

/// Reads clients' media through their connections.
pub trait Access: Send + Sync {
    /// What to paste for a connection.
    fn papers<'a>(&'a self, connection: &'a store::Connection) -> BoxFuture<'a, Papers>;
    /// Opens the media of one job; only through the connections given, all of the job's owner and enabled.
    fn opener(&self, job: &str, connections: Vec<store::Connection>) -> Arc<dyn media::Opener>;
    /// Whether there is such an AWS region.
    fn known_region(&self, region: &str) -> bool;
    /// A new external id that nobody can guess.
    fn new_external_id(&self) -> String;
}

/// Why a webhook was not reached. Messages never repeat the address: its query may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookError {
    /// The address guard refuses it, such as a private address: it is given up.
    Refused(String),
    /// It may be reached later.
    Failed(String),
}

/// Sends webhooks behind the URL guard.
pub trait WebhookSender: Send + Sync {
    /// Posts a body and answers with the HTTP status. Redirects are not followed.
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<u16, HookError>>;
    /// Looks at the form of an address and at literal private addresses; no network call.
    fn check(&self, url: &str) -> Result<(), String>;
}

/// A plan with its preview.
pub struct Draft {
    /// The plan.
    pub plan: plan::Plan,
    /// What the client should know.
    pub warnings: Vec<Warning>,
    /// The preview of each scene, files in the directory given.
    pub scenes: Vec<PreviewScene>,
}

/// A film with what it was made by.
pub struct Shot {
    /// The plan.
    pub plan: plan::Plan,
    /// What the client should know.
    pub warnings: Vec<Warning>,
    /// The film, files in the directory given.
    pub film: Film,
}

/// One frame that a client wants to see.
pub struct Look<'a> {
    /// Which.
    pub moment: Moment,
    /// How it is written.
    pub format: PictureFormat,
    /// Whether the client has this frame already; it is not drawn then.
    pub known: &'a (dyn Fn(&Spot) -> bool + Send + Sync),
}

/// Makes films. [`pipeline::Studio`] does; tests of the server need not wait for one.
pub trait Filmmaker: Send + Sync {
    /// Plans a storyboard and writes its preview into `directory`.
    fn draft<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Draft, Failure>>;
    /// Plans a storyboard and writes its film into `directory`.
    fn shoot<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Shot, Failure>>;
    /// Draws one frame of a storyboard's film for a client that waits; no picture where the client has it.
    fn look<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        look: &'a Look<'a>,
    ) -> BoxFuture<'a, Result<(Spot, Option<Drawn>), Failure>>;
    /// What a film would come to, against the report of an earlier one where that is given; nothing is rendered.
    fn outlook<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        earlier: Option<&'a Report>,
    ) -> BoxFuture<'a, Result<(Outlook, Vec<Warning>), Failure>>;
    /// Nothing is asked for any more.
    fn close(&self) -> BoxFuture<'_, ()>;
}

impl Filmmaker for pipeline::Studio {
    fn draft<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Draft, Failure>> {
        Box::pin(async move {
            let planned = self.plan(storyboard, context).await?;
            let scenes = self.preview(&planned, context, directory).await?;
            Ok(Draft { plan: planned.plan, warnings: planned.warnings, scenes })
        })
    }

    fn shoot<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Shot, Failure>> {
        Box::pin(async move {
            let planned = self.plan(storyboard, context).await?;
            let film = self.film(&planned, context, directory).await?;
            Ok(Shot { plan: planned.plan, warnings: planned.warnings, film })
        })
    }

    fn look<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        look: &'a Look<'a>,
    ) -> BoxFuture<'a, Result<(Spot, Option<Drawn>), Failure>> {
        Box::pin(async move {
            let planned = self.plan_at_once(storyboard, context).await?;
            let spot = self.spot(&planned, look.moment)?;
            if (look.known)(&spot) {
                return Ok((spot, None));
            }
            let drawn = self.frame(&planned, context, &spot, look.format).await?;
            Ok((spot, Some(drawn)))
        })
    }

    fn outlook<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        earlier: Option<&'a Report>,
    ) -> BoxFuture<'a, Result<(Outlook, Vec<Warning>), Failure>> {
        Box::pin(async move {
            let planned = self.plan_at_once(storyboard, context).await?;
            let outlook = pipeline::Studio::outlook(self, &planned, context, earlier).await;
            Ok((outlook, planned.warnings))
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(pipeline::Studio::close(self))
    }
}
