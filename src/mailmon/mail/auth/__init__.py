"""Authentication of mail: SPF, DKIM signatures, Authentication-Results."""
