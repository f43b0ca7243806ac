package grant

// The lists of protected places: commas and line ends part them. Those of folders stand for all that is below.

// Variables that name a file or folder with secrets.
const pointers = `AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AZURE_CONFIG_DIR, CLOUDSDK_CONFIG, GOOGLE_APPLICATION_CREDENTIALS
	KUBECONFIG, DOCKER_CONFIG, REGISTRY_AUTH_FILE, GNUPGHOME, PASSWORD_STORE_DIR, NETRC, NPM_CONFIG_USERCONFIG, PGPASSFILE
	GH_CONFIG_DIR, CLAUDE_CONFIG_DIR, CODEX_HOME, COPILOT_HOME, XAUTHORITY, HISTFILE, KRB5CCNAME, KRB5_KTNAME, VAULT_TOKEN_PATH`

// Secrets below a home, on every system.
const homeSecrets = `.ssh, .gnupg, .aws, .azure, .kube, .oci, .bluemix, .fly, .docker/config.json, .docker/contexts, .docker/run
	.netrc, _netrc, .git-credentials, .npmrc, .yarnrc.yml, .pypirc, .cargo/credentials, .cargo/credentials.toml, .gem/credentials
	.m2/settings.xml, .m2/settings-security.xml, .gradle/gradle.properties, .nuget/NuGet, .composer/auth.json
	.terraform.d, .terraformrc, .vault-token, .databrickscfg, .snowflake, .snowsql, .boto, .s3cfg, .pgpass, .my.cnf, .mylogin.cnf
	.password-store, .op, .authinfo, .authinfo.gpg, .pki, .mozilla, .thunderbird, .electrum, .bitcoin, .ethereum
	.bash_history, .zsh_history, .zsh_sessions, .histfile, .sh_history, .python_history, .node_repl_history, .psql_history
	.mysql_history, .sqlite_history, .rediscli_history, .viminfo, .lesshst, .wget-hsts
	.Xauthority, .ICEauthority, .var/app, snap/firefox, snap/chromium, snap/bitwarden, .cache/keyring, .cache/mozilla, .cache/google-chrome, .cache/chromium
	`

// AI apps keep tokens in their configuration, and start what stands there.
const aiApps = `.claude, .claude.json, .claude.json.backup, .cursor, .copilot, .codeium, .codex, .gemini, .lmstudio/mcp.json
	.lmstudio/.internal, .cache/lm-studio/mcp.json, .continue, .kiro, .warp, .qoder, .factory, .kimi, .vibe, .vscode-server
	.vscode-server-insiders, .cursor-server, .aws/amazonq, .aider.conf.yml, .roo, .cline, .windsurf, .antigravity, .trae
	.amp, .crush, .docker/mcp, .mcp-auth
	`

// What programs start by themselves, or take commands from, below a home.
const homeStarts = `.bashrc, .bash_profile, .bash_login, .bash_logout, .bash_aliases, .bash_completion, .profile, .inputrc
	.zshrc, .zshenv, .zprofile, .zlogin, .zlogout, .oh-my-zsh, .kshrc, .mkshrc, .cshrc, .tcshrc, .login, .logout
	.xprofile, .xinitrc, .xsession, .xsessionrc, .xserverrc, .pam_environment, .kde/Autostart, .kde4/Autostart, .i3, .fluxbox, .dwm
	.local/bin, .local/lib, bin, .bin, go/bin, .go/bin, .cargo/bin, .cargo/env, .cargo/config, .cargo/config.toml, .rustup
	.nvm, .pyenv, .rbenv, .asdf, .sdkman, .volta, .fnm, .nodenv, .deno/bin, .bun/bin, .npm-global, .yarn/bin, .krew/bin, .nix-profile, .nix-defexpr
	.linuxbrew, .gitconfig, .hgrc, .envrc, .direnvrc, .tmux.conf, .screenrc, .vimrc, .gvimrc, .vim, .exrc, .emacs, .emacs.d
	.gdbinit, .lldbinit, .irbrc, .pryrc, .pdbrc, .Rprofile, .ipython, .jupyter, .pythonrc, .pip, .condarc, .yarnrc, .bunfig.toml
	.gradle/init.d, .gradle/init.gradle, .docker/cli-plugins, .curlrc, .wgetrc, .mailcap, .muttrc, .crontab, .forward, .procmailrc
	.vscode, .vscode-insiders, .vscode-oss, .idea, .eclipse, .atom, .sublime`

const configSecrets = `gcloud, gh, glab-cli, hub, doctl, hcloud, rclone, op, sops, age, heroku, netlify, configstore, flyctl, vercel
	stripe, linode-cli, openstack, containers/auth.json, git/credentials, NuGet, composer/auth.json, solana, filezilla, remmina
	google-chrome, google-chrome-beta, chromium, BraveSoftware, microsoft-edge, vivaldi, opera, mozilla, librewolf, Yandex
	KeePass, keepassxc, Bitwarden, Bitwarden CLI, 1Password, Signal, Slack, discord, Element, Microsoft, Nextcloud, evolution, goa-1.0
	Claude, Claude-3p, Code, Code - Insiders, VSCodium, Cursor, Windsurf, Trae, Antigravity, zed, goose, amp, opencode, crush, github-copilot, ToolHive, toolhive`

const configStarts = `autostart, autostart-scripts, systemd, environment.d, upstart, plasma-workspace, cron, fish, zsh, nushell, powershell
	i3, sway, hypr, openbox, awesome, bspwm, sxhkd, qtile, xmonad, herbstluftwm, river, niri, labwc
	git, tmux, nvim, vim, emacs, doom, kak, helix, pip, uv, conda, direnv, mise, npm, yarn, go, containers, mimeapps.list, JetBrains, user-dirs.dirs`

const dataSecrets = `keyrings, kwalletd, gopass, password-store, evolution, geary, fish/fish_history, TelegramDesktop, signal-cli, gnome-online-accounts
	opencode, goose, crush, amp, zed`

const dataStarts = `systemd, applications, dbus-1, autostart, nautilus, nemo, caja, kio, kservices5, gnome-shell, cinnamon, plasma, kwin
	nvim, JetBrains, mise, uv/tools, pipx, fnm, pnpm, flatpak/exports`

// Below ~/Library.
const librarySecrets = `Keychains, Cookies, Safari, Mail, Messages, Accounts, IdentityServices, Passwords, Suggestions, Calendars, Containers
	Group Containers, HTTPStorages, WebKit, Autosave Information, Application Support/com.apple.TCC, Application Support/MobileSync
	Application Support/AddressBook, Application Support/CallHistoryDB, Application Support/Google/Chrome, Application Support/Chromium
	Application Support/Firefox, Application Support/BraveSoftware, Application Support/Microsoft Edge, Application Support/Arc
	Application Support/Vivaldi, Application Support/com.operasoftware.Opera, Application Support/Orion, Application Support/Thunderbird
	Application Support/1Password, Application Support/Bitwarden, Application Support/KeePassXC, Application Support/Signal
	Application Support/Slack, Application Support/discord, Application Support/Claude, Application Support/Claude-3p
	Application Support/Code, Application Support/Code - Insiders, Application Support/VSCodium, Application Support/Cursor
	Application Support/Windsurf, Application Support/Trae, Application Support/Antigravity, Application Support/Zed
	Application Support/Block, Application Support/crush, Application Support/ToolHive, Application Support/Qoder
	Application Support/com.apple.sharedfilelist, Application Support/iCloud, Group Containers/group.com.docker`

const libraryStarts = `LaunchAgents, LaunchDaemons, StartupItems, Services, Scripts, Application Scripts, Workflows, Preferences, QuickLook, Spotlight
	Input Methods, Keyboard Layouts, Internet Plug-Ins, PreferencePanes, Screen Savers, ColorPickers, Contextual Menu Items, Audio/Plug-Ins
	Frameworks, Python, Extensions, Application Support/com.apple.backgroundtaskmanagementagent, Application Support/JetBrains
	Application Support/Sublime Text`

// Below %APPDATA% and %LOCALAPPDATA%.
const roamingSecrets = `Microsoft/Credentials, Microsoft/Protect, Microsoft/Crypto, Microsoft/Vault, Microsoft/SystemCertificates
	Microsoft/Windows/PowerShell/PSReadLine, Microsoft/Windows/Cookies, Mozilla, Thunderbird, Opera Software, gcloud, GitHub CLI, NuGet, Subversion
	KeePass, KeePassXC, Bitwarden, 1Password, Signal, Slack, discord, gnupg, FileZilla, WinSCP.ini, rclone, doctl, Composer/auth.json
	Claude, Claude-3p, Code, Code - Insiders, VSCodium, Cursor, Windsurf, Trae, Antigravity, Zed, Block, amp, Qoder, ToolHive, containers/auth.json`

const roamingStarts = `Microsoft/Windows/Start Menu, Microsoft/Windows/PowerShell, Microsoft/Windows/SendTo, Microsoft/Templates
	Microsoft/AddIns, Microsoft/Word, Microsoft/Excel, Microsoft/Outlook, npm, nvm, Python, pip, JetBrains, Sublime Text, alacritty, nushell`

const localSecrets = `Microsoft/Credentials, Microsoft/Vault, Microsoft/TokenBroker, Microsoft/IdentityCache, Microsoft/OneAuth, .IdentityService
	Microsoft/Windows/INetCookies, Microsoft/Windows/WebCache, Microsoft/Edge, Microsoft/Outlook, Google/Chrome, Chromium, BraveSoftware, Vivaldi
	Mozilla, Thunderbird, 1Password, Bitwarden, Packages, Claude-3p, AnthropicClaude, crush, goose, opencode, github-copilot, Docker`

const localStarts = `Microsoft/WindowsApps, Microsoft/PowerShell, Microsoft/Windows Terminal, Programs, pnpm, Yarn, fnm, Volta, mise, JetBrains, nvim, uv, Python`

// Of the system. What root alone may read is there for a root that starts servers.
const linuxSecrets = `/etc/shadow, /etc/shadow-, /etc/gshadow, /etc/gshadow-, /etc/sudoers, /etc/sudoers.d, /etc/ssh, /etc/ssl/private, /etc/pki/tls/private
	/etc/NetworkManager/system-connections, /etc/wireguard, /etc/openvpn, /etc/ipsec.secrets, /etc/krb5.keytab, /etc/kubernetes, /etc/rancher
	/etc/machine-id, /root, /var/lib/docker, /var/lib/containers, /var/lib/containerd, /var/lib/kubelet, /var/lib/private, /var/lib/bluetooth
	/var/lib/NetworkManager, /var/lib/iwd, /var/lib/sss, /var/backups, /var/spool/mail, /var/mail`

const linuxStarts = `/etc, /usr, /boot, /efi, /bin, /sbin, /lib, /lib32, /lib64, /libx32, /snap, /nix, /gnu
	/var/spool/cron, /var/spool/at, /var/spool/anacron, /var/lib/systemd, /var/lib/dpkg, /var/lib/apt, /var/lib/rpm, /var/lib/flatpak, /var/lib/snapd`

const darwinSecrets = `/etc/master.passwd, /private/etc/master.passwd, /etc/sudoers, /private/etc/sudoers, /private/etc/sudoers.d, /private/etc/ssh
	/Library/Keychains, /var/root, /private/var/root, /private/var/db/dslocal, /var/db/dslocal, /private/var/vm`

const darwinStarts = `/System, /Library, /Applications, /usr, /bin, /sbin, /etc, /private/etc, /opt/homebrew, /private/var/db, /var/db
	/private/var/at, /var/at, /cores`
