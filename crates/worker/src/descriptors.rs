//! Open files on the socket pair: the parent opens, the child only ever gets descriptors.
//!
//! Invariant: descriptors travel with the head of a frame that has no payload, so that no plain read can lose them;
//! a child takes every frame head with [`receive`] while it waits for a task.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use crate::wire::{HEAD, Kind, head};

/// Most descriptors in one message; the kernel allows 253.
const BATCH: usize = 128;

/// Sends files to a child, in order.
pub(crate) async fn send(stream: &mut UnixStream, files: &[OwnedFd]) -> io::Result<()> {
    for batch in files.chunks(BATCH) {
        let head = head(Kind::Files, 0)?;
        let descriptors: Vec<BorrowedFd<'_>> = batch.iter().map(AsFd::as_fd).collect();
        let sent = loop {
            stream.writable().await?;
            let sent = stream.try_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                    return Err(io::Error::other("no room for descriptors"));
                }
                Ok(sendmsg(&*stream, &[IoSlice::new(&head)], &mut control, SendFlags::NOSIGNAL)?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => break sent?,
            }
        };
        stream.write_all(&head[sent..]).await?;
    }
    Ok(())
}

/// Receives the head of a frame with the files that came with it; `None` where the parent has closed its end.
pub(crate) fn receive(stream: &StdUnixStream, files: &mut VecDeque<File>) -> io::Result<Option<[u8; HEAD]>> {
    let mut head = [0; HEAD];
    let mut have = 0;
    while have < HEAD {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut head[have..])];
        let received = match recvmsg(stream, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => continue,
            received => received?,
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                files.extend(descriptors.map(File::from));
            }
        }
        match received.bytes {
            0 if have == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => have += bytes,
        }
    }
    Ok(Some(head))
}
