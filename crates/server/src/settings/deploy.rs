//! Finds settings that are unsafe in production.

mod effect;
mod limits;
mod others;
mod secrets;

use std::fmt;

use exit3_web::ClientIp;
use ipnet::IpNet;
use tracing_subscriber::filter::LevelFilter;

use super::{Arguments, MetricsBind, Settings, SettingsError};

/// A setting that is unsafe in production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the setting.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Whether it stops the start in production.
    pub dangerous: bool,
}

impl Finding {
    pub(crate) fn into_error(self) -> SettingsError {
        SettingsError::new(self.variable, format!("{}: {}", self.problem, self.remedy))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, problem, remedy, .. } = self;
        write!(formatter, "{variable} {problem}; {remedy}")
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        unsafe_: bool,
        variable: &'static str,
        problem: &'static str,
        remedy: &'static str,
    ) {
        if unsafe_ {
            self.0.push(Finding { variable, problem, remedy, dangerous: false });
        }
    }

    fn danger(
        &mut self,
        unsafe_: bool,
        variable: &'static str,
        problem: &'static str,
        remedy: &'static str,
    ) {
        if unsafe_ {
            self.0.push(Finding { variable, problem, remedy, dangerous: true });
        }
    }
}

/// All unsafe settings, the dangerous ones first.
pub fn findings(arguments: &Arguments, settings: &Settings) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    secrets::find(&mut found, arguments);
    found.danger(arguments.debug, "DEBUG", "is true", "leave it out");
    hosts(&mut found, arguments, settings);
    transport(&mut found, arguments, settings);
    limits::find(&mut found, arguments);
    telemetry(&mut found, settings);
    others::find(&mut found, arguments, settings);
    effect::find(&mut found, arguments, settings);
    found.add(
        !arguments.production,
        "PRODUCTION",
        "is not true",
        "set it, so that a dangerous setting stops the start",
    );
    found.0.sort_by_key(|finding| !finding.dangerous);
    found.0
}

/// The settings that other settings make ineffective or harmful. A service that starts with them
/// logs them.
pub(super) fn without_effect(arguments: &Arguments, settings: &Settings) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    effect::find(&mut found, arguments, settings);
    found.0
}

fn hosts(found: &mut Findings, arguments: &Arguments, settings: &Settings) {
    let hosts = &settings.site.allowed_hosts;
    found.danger(
        hosts.allow_any(),
        "ALLOWED_HOSTS",
        "allows any host",
        "list the hosts that clients use",
    );
    found.danger(
        hosts.patterns().iter().any(|host| host.rfind('.') == Some(0)),
        "ALLOWED_HOSTS",
        "allows all hosts of a top-level domain",
        "list the hosts that clients use",
    );
    let networks = settings.site.trusted_proxies.networks();
    found.danger(
        IpNet::aggregate(&networks.to_vec()).iter().any(is_wide),
        "TRUSTED_PROXIES",
        "trusts everybody, or a large part of the internet",
        "list the addresses of the proxies",
    );
    let plain = settings.cors.origins.iter().any(|origin| origin.starts_with("http://"));
    let problem = "allows pages that are loaded without encryption";
    let remedy = "list origins that begin with https://";
    if arguments.cors_allow_credentials {
        found.danger(plain, "CORS_ALLOWED_ORIGINS", problem, remedy);
    } else {
        found.add(plain, "CORS_ALLOWED_ORIGINS", problem, remedy);
    }
}

/// Whether a network is larger than the largest private ones: 10.0.0.0/8 and fc00::/7.
fn is_wide(network: &IpNet) -> bool {
    network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 7 }
}

fn transport(found: &mut Findings, arguments: &Arguments, settings: &Settings) {
    let direct = settings.tls.is_some();
    let proxied = !settings.site.trusted_proxies.is_empty();
    found.danger(
        !direct && !proxied && !settings.listen.ip().is_loopback(),
        "TLS_CERT",
        "is not set, and no proxy is trusted: keys and leads go over the network unencrypted",
        "set TLS_CERT and TLS_KEY, or put a proxy in front and list it in TRUSTED_PROXIES",
    );
    found.add(
        settings.admin.enabled && !direct && !proxied,
        "ADMIN_ENABLED",
        "is true, but no request counts as encrypted: the cookies of the back office travel in the \
         clear",
        "set TLS_CERT and TLS_KEY, list the proxy that encrypts in TRUSTED_PROXIES, or set \
         ADMIN_ENABLED=false",
    );
    found.add(
        !direct && !arguments.secure_ssl_redirect,
        "SECURE_SSL_REDIRECT",
        "is not true",
        "set it, so that plain HTTP is redirected to HTTPS",
    );
    found.add(
        arguments.secure_hsts_seconds < 15_768_000,
        "SECURE_HSTS_SECONDS",
        "is less than half a year",
        "set it to 31536000 once everything is served over HTTPS",
    );
    found.add(
        !arguments.secure_hsts_include_subdomains,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS",
        "is not true",
        "set it, unless a subdomain is served without HTTPS",
    );
    found.add(
        !arguments.secure_hsts_preload,
        "SECURE_HSTS_PRELOAD",
        "is not true",
        "set it once the host should be in the preload lists of browsers",
    );
}

fn telemetry(found: &mut Findings, settings: &Settings) {
    let telemetry = &settings.telemetry;
    found.add(
        telemetry.level == LevelFilter::TRACE && telemetry.client_ip == ClientIp::Full,
        "LOG_LEVEL",
        "is TRACE, which logs whole addresses of clients",
        "leave out this setting or LOG_CLIENT_IP",
    );
    found.add(
        telemetry.level == LevelFilter::OFF,
        "LOG_LEVEL",
        "is off: errors are not logged",
        "set it to ERROR, or leave it out",
    );
    let open = match telemetry.metrics {
        MetricsBind::At(address) => !address.ip().is_loopback(),
        MetricsBind::Usual | MetricsBind::Off => false,
    };
    found.add(
        open,
        "METRICS_BIND",
        "serves metrics to everybody who can reach the port",
        "bind it to 127.0.0.1, or allow only Prometheus to reach it",
    );
}
