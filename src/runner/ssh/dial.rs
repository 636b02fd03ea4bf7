//! A TCP connection to a host: its addresses, and the options of its socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::failure::{Failure, no_such_host};
use crate::config::ssh_config::{AddressFamily, HostSettings};
use crate::core::reason::Reason;

/// Where the host is.
pub(super) async fn addresses(settings: &HostSettings) -> Result<Vec<SocketAddr>, Failure> {
    let (host, port) = (settings.host_name.value.as_str(), settings.port.value);
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![(address, port).into()],
        Err(_) => tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| Failure::lasting(Reason::Unreachable(no_such_host(host, &error))))?
            .collect(),
    };
    let family = settings.address_family.value;
    let fits = |address: &SocketAddr| match family {
        AddressFamily::Any => true,
        AddressFamily::Inet => address.is_ipv4(),
        AddressFamily::Inet6 => address.is_ipv6(),
    };
    Ok(found.into_iter().filter(fits).collect())
}

/// Opens a TCP connection.
pub(super) async fn dial(settings: &HostSettings, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(bind) = &settings.bind_address {
        let from: IpAddr = bind.value.parse().map_err(|_| {
            io::Error::other(format!(
                "BindAddress {} is not an address ({})",
                bind.value, bind.origin
            ))
        })?;
        socket.bind((from, 0).into())?;
    }
    socket.connect(address).await
}

/// Sends small packets at once, and gives up on a server that no longer acknowledges what was sent: keepalives alone
/// do not notice while a write is stuck.
pub(super) fn tune(stream: &TcpStream, patience: Option<Duration>) {
    // Either only makes things better.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    if let Some(patience) = patience {
        let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
}
