//! STS of the demo: AssumeRole and GetCallerIdentity, as a route of the S3 service, which checks the signature.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::http::Extensions;
use hyper::{Method, StatusCode, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};

use crate::access::check_session;
use crate::accounts::{Accounts, Refused};

/// Longest request; a session policy is at most 2,048 characters.
const LONGEST: usize = 8192;

/// The route of STS.
pub(crate) struct Sts(pub(crate) Arc<Accounts>);

#[async_trait::async_trait]
impl S3Route for Sts {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        let form = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        method == Method::POST && uri.path() == "/" && form
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let body = request.input.store_all_limited(LONGEST).await.map_err(|_| s3_error!(EntityTooLarge))?;
        let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        let Some(key) = request.credentials.as_ref().map(|found| found.access_key.as_str()) else {
            return Ok(refuse(&Refused(403, "MissingAuthenticationToken")));
        };
        Ok(match form.get("Action").map(String::as_str) {
            Some("AssumeRole") => self.assume(key, &form),
            Some("GetCallerIdentity") => self.identity(key, &request.headers),
            _ => refuse(&Refused(400, "InvalidAction")),
        })
    }
}

impl Sts {
    fn assume(&self, key: &str, form: &HashMap<String, String>) -> S3Response<Body> {
        let text = |name: &str| form.get(name).map(String::as_str);
        // Only users may: a session that assumes another role is not what the demo is about.
        let Some(user) = self.0.user(key) else { return refuse(&Refused(403, "AccessDenied")) };
        let seconds =
            text("DurationSeconds").map_or(Some(3600), |text| text.parse().ok()).unwrap_or_default();
        let assumed = self.0.assume(
            &user,
            text("RoleArn").unwrap_or_default(),
            text("RoleSessionName").unwrap_or_default(),
            text("ExternalId"),
            text("Policy"),
            seconds,
        );
        match assumed {
            Err(refused) => refuse(&refused),
            Ok(session) => answer(
                200,
                format!(
                    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                     <AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>{}:demo</AssumedRoleId></AssumedRoleUser>\
                     <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
                     <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
                     </AssumeRoleResult></AssumeRoleResponse>",
                    escape(&session.arn),
                    session.access_key,
                    session.access_key,
                    session.secret,
                    session.token,
                    rfc3339(session.expiry),
                ),
            ),
        }
    }

    fn identity(&self, key: &str, headers: &HeaderMap) -> S3Response<Body> {
        let (arn, account) = match (self.0.user(key), self.0.session(key)) {
            (Some(user), _) => (user.arn, user.account),
            (None, Some(session)) if check_session(&session, headers).is_ok() => {
                let account = session.account().to_owned();
                (session.arn, account)
            }
            _ => return refuse(&Refused(403, "InvalidClientTokenId")),
        };
        answer(
            200,
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <GetCallerIdentityResult><Arn>{}</Arn><UserId>{key}</UserId><Account>{account}</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>",
                escape(&arn)
            ),
        )
    }
}

fn refuse(refused: &Refused) -> S3Response<Body> {
    answer(
        refused.0,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{}</Code><Message>Refused by the demo.</Message></Error></ErrorResponse>",
            refused.1
        ),
    )
}

fn answer(status: u16, body: String) -> S3Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = S3Response::with_status(Body::from(body), status);
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A moment as STS writes it, in whole seconds.
fn rfc3339(moment: SystemTime) -> String {
    let seconds = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    // Days to a date, by eras of 400 years that start in March.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let second = seconds % 86_400;
    format!(
        "{:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        era * 400 + year + carry,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
