//! Length-prefixed frames on any byte stream.

use std::fmt;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// No frame is larger: a larger length is a broken or hostile peer.
pub const MAX_FRAME: usize = 64 << 20;

/// Why a frame could not be exchanged.
#[derive(Debug)]
pub enum FrameError {
    Io(io::Error),
    TooLarge(usize),
    Malformed(String),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::TooLarge(size) => write!(f, "a frame of {size} bytes is larger than any can be"),
            Self::Malformed(why) => write!(f, "a frame that cannot be read: {why}"),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads one frame; `None` at the end of the stream.
async fn read_bytes(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLarge(length));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(Some(frame))
}

async fn write_bytes(
    stream: &mut (impl AsyncWrite + Unpin),
    body: &[u8],
) -> Result<(), FrameError> {
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length as usize <= MAX_FRAME)
        .ok_or(FrameError::TooLarge(body.len()))?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(body).await?;
    Ok(())
}

/// Reads one message; `None` at the end of the stream.
pub async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let Some(frame) = read_bytes(stream).await? else {
        return Ok(None);
    };
    rmp_serde::from_slice(&frame)
        .map(Some)
        .map_err(|error| FrameError::Malformed(error.to_string()))
}

/// Writes one message.  The caller flushes.
pub async fn write<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    let body =
        rmp_serde::to_vec(message).map_err(|error| FrameError::Malformed(error.to_string()))?;
    write_bytes(stream, &body).await
}

/// As [`read()`], for what may hold a secret: the frame is wiped afterwards.
pub async fn read_wiped<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let Some(frame) = read_bytes(stream).await?.map(Zeroizing::new) else {
        return Ok(None);
    };
    rmp_serde::from_slice(&frame)
        .map(Some)
        .map_err(|error| FrameError::Malformed(error.to_string()))
}

/// As [`write()`], for what may hold a secret: the frame is wiped afterwards.
pub async fn write_wiped<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    let body = rmp_serde::to_vec(message).map(Zeroizing::new);
    let body = body.map_err(|error| FrameError::Malformed(error.to_string()))?;
    write_bytes(stream, &body).await
}

/// Exchanges greetings: sends ours and reads theirs.
pub async fn greet(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<Option<super::Greeting>, FrameError> {
    let ours = serde_json::to_vec(&super::Greeting::ours())
        .map_err(|error| FrameError::Malformed(error.to_string()))?;
    write_bytes(stream, &ours).await?;
    stream.flush().await?;
    let Some(theirs) = read_bytes(stream).await? else {
        return Ok(None);
    };
    serde_json::from_slice(&theirs)
        .map(Some)
        .map_err(|error| FrameError::Malformed(error.to_string()))
}
