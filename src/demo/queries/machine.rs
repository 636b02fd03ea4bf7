//! What a computer is: its system, its processors, memory and disks, its clock.

use super::super::computer::{Computer, KERNEL_BUILD};
use super::{row, tenths};

pub(super) fn os(computer: &Computer) -> String {
    let os = computer.os();
    row(&[&os.id, &os.version, &os.name(), &"x86_64"])
}

pub(super) fn kernel(computer: &Computer) -> String {
    row(&[&"Linux", &computer.kernel(), &"x86_64", &KERNEL_BUILD])
}

pub(super) fn cpu(computer: &Computer) -> String {
    let (model, fastest) = [
        ("AMD EPYC 7543 32-Core Processor", 3_700),
        ("AMD EPYC 9354 32-Core Processor", 3_800),
        ("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", 3_200),
    ][computer.chance(20, 3) as usize];
    let threads = computer.processors();
    let mhz = format!(
        "{}.{:03}",
        fastest - computer.chance(21, 900),
        computer.chance(22, 1_000)
    );
    row(&[&model, &1, &(threads / 2), &threads, &mhz, &"x86_64"])
}

pub(super) fn memory(computer: &Computer) -> String {
    let memory = computer.memory();
    row(&[
        &memory.total,
        &(memory.total - memory.used),
        &tenths(memory.used * 1_000 / memory.total),
        &memory.swap,
        &memory.swap_used,
    ])
}

pub(super) fn disks(computer: &Computer) -> String {
    let devices = computer.disks().into_iter().filter_map(|disk| {
        let name = disk.device.strip_prefix("/dev/")?;
        // A partition leaves a MiB of its disk before it.
        let (name, before) = match name.strip_suffix('1') {
            Some(disk) => (disk, 1 << 20),
            None => (name, 0),
        };
        Some(row(&[&name, &(disk.size * 1_024 + before), &1, &0, &""]))
    });
    devices.collect()
}

pub(super) fn filesystems(computer: &Computer) -> String {
    let systems = computer.disks().into_iter().map(|disk| {
        row(&[
            &disk.mounted,
            &disk.kind,
            &disk.device,
            &disk.size,
            &disk.used,
            &(disk.size - disk.used),
            &disk.percent(),
        ])
    });
    systems.collect()
}

pub(super) fn uptime(computer: &Computer) -> String {
    row(&[&computer.uptime().as_secs(), &computer.booted().as_second()])
}

pub(super) fn load(computer: &Computer) -> String {
    let [one, five, fifteen] = computer
        .load()
        .map(|load| format!("{}.{:02}", load / 100, load % 100));
    row(&[&one, &five, &fifteen, &computer.processors()])
}

pub(super) fn time(computer: &Computer) -> String {
    let now = computer.clock().strftime("%Y-%m-%dT%H:%M:%SZ");
    let in_step = if computer.in_step() { "yes" } else { "no" };
    row(&[&now, &"UTC", &"+0000", &in_step])
}

/// Its serial number is for root.
pub(super) fn bios(computer: &Computer) -> String {
    let (vendor, version, date) = match computer.chance(23, 6) {
        0 => ("SeaBIOS", "1.15.0-1", "04/01/2014"),
        1 | 2 => ("EDK II", "2024.02-2", "02/10/2025"),
        _ => ("SeaBIOS", "1.16.3-debian-1.16.3-2", "04/01/2014"),
    };
    let model = "Standard PC (Q35 + ICH9, 2009)";
    row(&[&vendor, &version, &date, &"QEMU", &model, &""])
}
