# What the units and the commands run by hand may do: nothing but talk over IP and write into their state directory.
# The same lines as in systemd/*.service, with the same reasons; a test compares them. DynamicUser= is in unit.nix, because
# it depends on the option `user`.
{
  # The state has the alerts and their recipients; no other user needs to read it.
  StateDirectoryMode = "0700";
  # Files are readable by this user only.
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
  # A read-only file system, except for the state directory.
  ProtectSystem = "strict";
  # It needs no files of users.
  ProtectHome = true;
  # No files or symlinks of others in a shared /tmp.
  PrivateTmp = true;
  # No disks, terminals or cameras: /dev/null and the like are enough.
  PrivateDevices = true;
  # The same for device nodes elsewhere.
  DevicePolicy = "closed";
  # Mounts in here stay in here.
  PrivateMounts = true;
  # Other users' processes and their command lines are hidden.
  ProtectProc = "invisible";
  # Of /proc only the processes: no kernel settings, no list of other people's connections.
  ProcSubset = "pid";
  # No shared memory or message queue of others.
  PrivateIPC = true;
  # And none of its own is left behind.
  RemoveIPC = true;
  # A monitor reads the clock and never sets it.
  ProtectClock = true;
  # It never changes the limits of other units.
  ProtectControlGroups = true;
  # Its alerts name this host: nobody changes that name from in here.
  ProtectHostname = true;
  # The kernel's log is about other programs.
  ProtectKernelLogs = true;
  # It never loads kernel modules.
  ProtectKernelModules = true;
  # Nor does it change kernel settings.
  ProtectKernelTunables = true;
  # Old execution domains only serve to get around protections.
  LockPersonality = true;
  # CPython compiles to bytecode, not to machine code: memory never needs to be written and then run.
  MemoryDenyWriteExecute = true;
  # Namespaces expose less tested kernel code.
  RestrictNamespaces = true;
  # Realtime priority could starve the machine.
  RestrictRealtime = true;
  # Mail, alerts and DNS go over IP; no local sockets, no netlink, no raw packets.
  RestrictAddressFamilies = "AF_INET AF_INET6";
  # Foreign system calls (32-bit on 64-bit) would bypass the filter.
  SystemCallArchitectures = "native";
  SystemCallFilter = [
    # What services usually need ...
    "@system-service"
    # ... but nothing that only root may do, nor changes of its own limits.
    "~@privileged @resources"
  ];
  # A refused call is an error with a message, not a killed process.
  SystemCallErrorNumber = "EPERM";
  # No keys of other sessions.
  KeyringMode = "private";
  # A run takes about 30 MB; a server that never stops sending must not exhaust the memory.
  MemoryMax = "256M";
  # 16 steps at once and a thread per channel are far below this.
  TasksMax = 128;
  # A core file would hold the password.
  LimitCORE = 0;
}
