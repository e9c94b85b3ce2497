# What the units and the commands run by hand may do: nothing but talk over IP and write into their state directory.
# The same lines as in systemd/*.service, with the same reasons; a test compares them. DynamicUser= is in unit.nix, because
# it depends on the option `user`.
{
  # The memory says who was told what; no other user needs to read it.
  StateDirectoryMode = "0700";
  # What is written is for this user alone.
  UMask = "0077";
  # It talks to servers and writes a file: no capability is of use for that.
  CapabilityBoundingSet = "";
  # And none is handed to the programs that it may start.
  AmbientCapabilities = "";
  # A program that it starts (password_command) gains no rights by a setuid bit.
  NoNewPrivileges = true;
  # Nor can it leave a setuid program behind.
  RestrictSUIDSGID = true;
  # Root and all other users are nobody in here.
  PrivateUsers = true;
  # Read-only file system, but for the state directory.
  ProtectSystem = "strict";
  # Nobody's files are any of its business.
  ProtectHome = true;
  # No leftovers of others, no files for others, no symlinks laid out in a shared /tmp.
  PrivateTmp = true;
  # No disk, no terminal, no camera: /dev/null and its like are enough.
  PrivateDevices = true;
  # The same again for device nodes that turn up elsewhere.
  DevicePolicy = "closed";
  # What is mounted in here stays in here.
  PrivateMounts = true;
  # Other users' processes, and so their command lines, are not seen.
  ProtectProc = "invisible";
  # Of /proc only the processes: no kernel settings, no list of other people's connections.
  ProcSubset = "pid";
  # No shared memory or message queue of others.
  PrivateIPC = true;
  # And none of its own is left behind.
  RemoveIPC = true;
  # A monitor reads the clock and never sets it.
  ProtectClock = true;
  # It has no business with the limits of other units.
  ProtectControlGroups = true;
  # Its alerts name this host: nobody changes that name from in here.
  ProtectHostname = true;
  # The kernel's log tells of other programs.
  ProtectKernelLogs = true;
  # Loading code into the kernel is none of its work.
  ProtectKernelModules = true;
  # Nor is turning the kernel's knobs.
  ProtectKernelTunables = true;
  # Old execution domains only serve to get around protections.
  LockPersonality = true;
  # CPython compiles to bytecode, not to machine code: memory never needs to be written and then run.
  MemoryDenyWriteExecute = true;
  # Namespaces are a way to the kernel's less trodden code.
  RestrictNamespaces = true;
  # Realtime priority could starve the machine.
  RestrictRealtime = true;
  # Mail, alerts and DNS go over IP; no local sockets, no netlink, no raw packets.
  RestrictAddressFamilies = "AF_INET AF_INET6";
  # Foreign system calls (32-bit on 64-bit) would pass by the filter.
  SystemCallArchitectures = "native";
  SystemCallFilter = [
    # What services usually need ...
    "@system-service"
    # ... but nothing that only root may do, nor changes of its own limits.
    "~@privileged @resources"
  ];
  # A refused call is an error that is told in a line, not a death without a word.
  SystemCallErrorNumber = "EPERM";
  # No keys of other sessions.
  KeyringMode = "private";
  # A run takes some 30 MB; a server that sends without end must not take the machine's memory.
  MemoryMax = "256M";
  # 16 steps at once and a thread a channel, far from this.
  TasksMax = 128;
  # A core file would hold the password.
  LimitCORE = 0;
}
