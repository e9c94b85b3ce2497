# NixOS in virtual machines: `mail` has a real Postfix and Dovecot, `watcher` the module, `phone` an ntfy server. Mail works,
# the submission goes down, and comes back; the phone hears of it once each. Run by `nix flake check`, or
# `nix build .#checks.x86_64-linux.vm`.
{ module }:

let
  topic = "a-topic-for-the-test";
  # The machines live for some minutes, and see nobody else.
  password = "only-for-this-test";
in
{
  name = "mailmon";

  # So that the machines are mail.test, watcher.test and phone.test to each other.
  defaults.networking.domain = "test";

  nodes.mail =
    {
      config,
      lib,
      options,
      pkgs,
      ...
    }:
    let
      certificate = import ./vm-certificate.nix { inherit pkgs; };
      postfix = {
        myhostname = "mail.test";
        mydestination = [ "mail.test" ];
        # Mailboxes are Dovecot's; Postfix knows no users.
        local_recipient_maps = "";
        mailbox_transport = "lmtp:inet:127.0.0.1:24";
        smtpd_sasl_type = "dovecot";
        smtpd_sasl_path = "inet:127.0.0.1:12345";
        smtpd_tls_chain_files = [
          "${certificate}/key.pem"
          "${certificate}/certificate.pem"
        ];
      };
    in
    {
      networking.firewall.allowedTCPPorts = [
        587
        993
      ];

      services.postfix = {
        enable = true;
        enableSubmission = true;
        submissionOptions = {
          smtpd_tls_security_level = "encrypt";
          smtpd_sasl_auth_enable = "yes";
          smtpd_client_restrictions = "permit_sasl_authenticated,reject";
        };
      }
      # NixOS 25.11 gave `config` this name.
      // (if options.services.postfix ? settings then { settings.main = postfix; } else { config = postfix; });

      # A configuration file of our own: the options differ between NixOS releases, and the language between Dovecot 2.3
      # and 2.4.
      services.dovecot2 = {
        enable = true;
        configFile = import ./vm-dovecot.nix {
          inherit pkgs certificate password;
          # The user was an option of its own before it was one of the settings.
          user = config.services.dovecot2.settings.default_internal_user or config.services.dovecot2.user;
          version = config.services.dovecot2.package.version;
        };
      }
      // lib.optionalAttrs (options.services.dovecot2 ? settings) {
        # Asked for by assertions also where the file is our own.
        settings.dovecot_config_version = config.services.dovecot2.package.version;
        settings.dovecot_storage_version = config.services.dovecot2.package.version;
      };
      users.users.vmail = {
        isSystemUser = true;
        group = "vmail";
        home = "/var/vmail";
        createHome = true;
      };
      users.groups.vmail = { };
    };

  nodes.phone = {
    networking.firewall.allowedTCPPorts = [ 2586 ];
    services.ntfy-sh = {
      enable = true;
      settings.base-url = "http://phone.test:2586";
      settings.listen-http = ":2586";
    };
  };

  nodes.watcher =
    { pkgs, ... }:
    {
      imports = [ module ];
      security.pki.certificateFiles = [ "${import ./vm-certificate.nix { inherit pkgs; }}/certificate.pem" ];
      # In place of sops-nix or agenix.
      systemd.tmpfiles.rules = [
        "d /run/secrets 0700 root root -"
        "f /run/secrets/mailmon 0400 root root - ${password}"
        "f /run/secrets/ntfy-topic 0400 root root - ${topic}"
      ];

      # A test starts it more often than systemd allows.
      systemd.services.mailmon-main.startLimitIntervalSec = 0;

      services.mailmon = {
        enable = true;
        # The test starts the runs.
        interval = "1d";
        smtp.host = "mail.test";
        imap.host = "mail.test";
        credentials.username = "monitor@mail.test";
        credentials.passwordFile = "/run/secrets/mailmon";
        ntfy.server = "http://phone.test:2586";
        ntfy.topicFile = "/run/secrets/ntfy-topic";
      };
    };

  testScript = ''
    import json


    def told() -> list[dict[str, str]]:
        lines = phone.succeed("curl -sf 'http://localhost:2586/${topic}/json?poll=1'")
        return [json.loads(line) for line in lines.splitlines()]


    start_all()
    mail.wait_for_open_port(587)
    mail.wait_for_open_port(993)
    phone.wait_for_open_port(2586)
    watcher.wait_for_unit("multi-user.target")
    watcher.succeed("systemctl is-active mailmon-main.timer")
    # Two minutes after the boot it would start a run between those of the test.
    watcher.succeed("systemctl stop mailmon-main.timer")

    with subtest("mail that arrives is no news"):
        watcher.succeed("systemctl start mailmon-main.service")
        status = json.loads(watcher.succeed("mailmon-main status --json"))
        print(status)
        assert told() == [], told()

    with subtest("what is remembered is for nobody else"):
        assert watcher.succeed("stat -c %a /var/lib/private/mailmon-main").strip() == "700"
        assert watcher.succeed("stat -c %a /var/lib/private/mailmon-main/state.json").strip() == "600"

    with subtest("a fault is told once, and is no failure of the unit"):
        mail.succeed("systemctl stop postfix.service")
        watcher.succeed("systemctl start mailmon-main.service")
        watcher.succeed("systemctl start mailmon-main.service")
        assert len(told()) == 1, told()
        assert "mail.test:587" in json.dumps(told()[0]), told()

    with subtest("by hand it is the same run, and the exit code says what it found"):
        status, output = watcher.execute("mailmon-main check")
        assert status == 1, output
        assert len(told()) == 1, told()
        watcher.fail("su -s /bin/sh nobody -c 'mailmon-main status'")

    with subtest("the recovery is told once"):
        mail.succeed("systemctl start postfix.service")
        mail.wait_for_open_port(587)
        watcher.succeed("systemctl start mailmon-main.service")
        watcher.succeed("systemctl start mailmon-main.service")
        assert len(told()) == 2, told()

    with subtest("a missing password is a failure of mailmon itself, and told as that"):
        watcher.succeed("rm /run/secrets/mailmon")
        watcher.fail("systemctl start mailmon-main.service")
        watcher.wait_until_succeeds("journalctl -u mailmon-main-failure.service -o cat | grep -F 'alert sent'")
        assert len(told()) == 3, told()
        assert "mailmon-main.service" in json.dumps(told()[2]), told()

    with subtest("no credential is in the store"):
        watcher.succeed("ls /nix/store/*-mailmon-main.json")
        watcher.fail("grep -RFqs ${password} /nix/store/*-mailmon-main.json /etc/systemd/system/")
  '';
}
