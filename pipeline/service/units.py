"""What systemd needs to run the daemon: a unit, a user, directories. Text only; nothing is written.

What each line of the unit is for is in docs/service.md.
"""

from dataclasses import dataclass

_UNIT = """\
[Unit]
Description=hlspipe downloads HLS streams
Documentation=man:systemd.unit(5)
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} serve {options}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5s
WatchdogSec=60s
TimeoutStartSec=60s
TimeoutStopSec=40s
KillMode=mixed
OOMPolicy=continue
Environment=PYTHONUNBUFFERED=1
{places}
UMask=0027
LimitNOFILE=65536
MemoryMax=2G

# What the daemon may do: talk to the network and write below its own directories.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=setrlimit prlimit64
SystemCallErrorNumber=EPERM
{sandbox}
[Install]
WantedBy={target}
"""

#: These want privileges that a user's own manager does not have.
_SANDBOX = """\
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
MemoryDenyWriteExecute=yes

"""

_SYSTEM_PLACES = """\
User=hlspipe
Group=hlspipe
StateDirectory=hlspipe
StateDirectoryMode=0750
CacheDirectory=hlspipe
CacheDirectoryMode=0700
RuntimeDirectory=hlspipe
RuntimeDirectoryMode=0755"""

_USER_PLACES = """\
StateDirectory=hlspipe
CacheDirectory=hlspipe
RuntimeDirectory=hlspipe"""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the installation."""

    path: str
    text: str


def unit_files(program: str, *, user: bool) -> list[File]:
    """The files for `program`; for one user's own manager, or for the machine."""
    options = (
        "--root %S/hlspipe/videos --state-dir %S/hlspipe --socket %t/hlspipe/hlspipe.sock"
        " --temp-dir %C/hlspipe"
    )
    unit = _UNIT.format(
        program=program,
        options=options,
        places=_USER_PLACES if user else _SYSTEM_PLACES,
        sandbox="" if user else _SANDBOX,
        target="default.target" if user else "multi-user.target",
    )
    if user:
        return [File("systemd/user/hlspipe.service", unit)]
    return [
        File("/etc/systemd/system/hlspipe.service", unit),
        File("/etc/sysusers.d/hlspipe.conf", 'u hlspipe - "hlspipe downloads" /var/lib/hlspipe\n'),
        File("/etc/tmpfiles.d/hlspipe.conf", "d /var/lib/hlspipe/videos 0750 hlspipe hlspipe -\n"),
    ]
