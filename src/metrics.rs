//! Numbers for whoever watches the receiver: what came, what became of it, how it fares now.
//!
//! One set of counters for the process, each an atomic, so that counting costs a mail nothing. Labels are
//! words of our own (a protocol, a channel, a reason, a place's name in the configuration): never an address,
//! a domain, a source or a canary. They begin at nought when the process does; what counts is in the
//! registry.

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds from a message's last byte to its answer, by which messages are counted.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

type Label = (&'static str, &'static str);
type One = Family<[Label; 1], Counter>;
type Two = Family<[Label; 2], Counter>;

/// All numbers of this process.
pub struct Metrics {
    registry: Registry,
    connections: One,
    open: Family<[Label; 1], Gauge>,
    turned_away: One,
    messages: Two,
    recipients_refused: One,
    stored: One,
    repeats: One,
    bytes: One,
    store_errors: Counter,
    probes: Counter,
    store_seconds: Histogram,
    settled: Two,
    settle_errors: Counter,
    requests: Family<[(&'static str, String); 2], Counter>,
    alert_tries: Family<[(&'static str, String); 2], Counter>,
    unsettled: Gauge,
    alerts_waiting: Gauge,
    alerts_dead: Gauge,
    campaigns_missing: Gauge,
    readable: Gauge,
    certificate_until: Gauge<f64, AtomicU64>,
    mailbox_up: Family<[(&'static str, String); 1], Gauge>,
    mailbox_read: Family<[(&'static str, String); 1], Gauge>,
}

/// How the registry stands, for those numbers that are asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Messages that nobody has settled yet.
    pub unsettled: u64,
    /// Alerts that some place has not taken yet.
    pub alerts_waiting: u64,
    /// Deliveries of alerts that were given up.
    pub alerts_dead: u64,
    /// Planned mailings that did not come to canaries, and may still.
    pub campaigns_missing: u64,
}

/// A connection while it lasts.
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The numbers of this process.
pub fn metrics() -> &'static Metrics {
    static ALL: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &ALL
}

impl Metrics {
    fn new() -> Metrics {
        let mut registry = Registry::with_prefix("otori");
        macro_rules! registered {
            ($($name:literal $help:literal $make:expr;)+) => {
                ($({
                    let metric = $make;
                    registry.register($name, $help, metric.clone());
                    metric
                }),+)
            };
        }
        let (connections, open, turned_away) = registered! {
            "connections" "Connections taken, by protocol" One::default();
            "open_connections" "Connections open now, by protocol" Family::<[Label; 1], Gauge>::default();
            "connections_turned_away" "Connections for which there was no place, by protocol" One::default();
        };
        let (messages, recipients_refused) = registered! {
            "messages" "Messages answered, by protocol and answer" Two::default();
            "recipients_refused" "Recipients refused, by reason" One::default();
        };
        let (stored, repeats, bytes, store_errors, probes, store_seconds) = registered! {
            "stored" "Messages made durable, by channel" One::default();
            "repeats" "Messages that had been stored before, by channel" One::default();
            "stored_bytes" "Bytes of messages made durable, by channel" One::default();
            "store_errors" "Messages that the registry did not take, whose senders come again" Counter::default();
            "probes" "Recipient checks without a message that were stored" Counter::default();
            "store_seconds" "Seconds from a mail's last byte to the answer that it is durable" Histogram::new(BUCKETS);
        };
        let (settled, settle_errors) = registered! {
            "settled" "Sightings that messages were settled as, by channel and kind" Two::default();
            "settle_errors" "Tries to settle a message that failed" Counter::default();
        };
        let (requests, alert_tries) = registered! {
            "http_requests" "HTTP requests answered, by route and status" Family::<[(&'static str, String); 2], Counter>::default();
            "alert_tries" "Tries to send an alert, by place and result" Family::<[(&'static str, String); 2], Counter>::default();
        };
        let (
            unsettled,
            alerts_waiting,
            alerts_dead,
            campaigns_missing,
            readable,
            certificate_until,
        ) = registered! {
            "unsettled_messages" "Stored messages that nobody has settled yet" Gauge::default();
            "alerts_waiting" "Alerts that some place has not taken yet" Gauge::default();
            "alerts_dead" "Deliveries of alerts that were given up" Gauge::default();
            "campaigns_missing" "Planned mailings that did not come to canaries, or to too few" Gauge::default();
            "registry_readable" "Whether the registry can be read (1) or not (0)" Gauge::default();
            "certificate_expires_timestamp_seconds" "When the certificate for STARTTLS ends; 0 without one" Gauge::<f64, AtomicU64>::default();
        };
        let (mailbox_up, mailbox_read) = registered! {
            "imap_up" "Whether the last look into a mailbox read it (1) or failed (0), by its name" Family::<[(&'static str, String); 1], Gauge>::default();
            "imap_read_timestamp_seconds" "When a mailbox was last read, by its name" Family::<[(&'static str, String); 1], Gauge>::default();
        };
        Metrics {
            registry,
            connections,
            open,
            turned_away,
            messages,
            recipients_refused,
            stored,
            repeats,
            bytes,
            store_errors,
            probes,
            store_seconds,
            settled,
            settle_errors,
            requests,
            alert_tries,
            unsettled,
            alerts_waiting,
            alerts_dead,
            campaigns_missing,
            readable,
            certificate_until,
            mailbox_up,
            mailbox_read,
        }
    }

    /// A connection has begun; it is open until what is returned is dropped.
    pub fn connection(&self, protocol: &'static str) -> Open {
        let label = [("protocol", protocol)];
        self.connections.get_or_create(&label).inc();
        let open = self.open.get_or_create(&label).clone();
        open.inc();
        Open(open)
    }

    /// There was no place for a connection.
    pub fn turned_away(&self, protocol: &'static str) {
        let label = [("protocol", protocol)];
        self.turned_away.get_or_create(&label).inc();
    }

    /// A message was answered: `accepted`, or why it was not.
    pub fn message(&self, protocol: &'static str, answer: &'static str) {
        let labels = [("protocol", protocol), ("answer", answer)];
        self.messages.get_or_create(&labels).inc();
    }

    /// A recipient was refused.
    pub fn recipient_refused(&self, reason: &'static str) {
        let label = [("reason", reason)];
        self.recipients_refused.get_or_create(&label).inc();
    }

    /// A message is durable now, or was before.
    pub fn stored(&self, channel: &'static str, bytes: usize, repeat: bool) {
        let label = [("channel", channel)];
        if repeat {
            self.repeats.get_or_create(&label).inc();
            return;
        }
        self.stored.get_or_create(&label).inc();
        self.bytes.get_or_create(&label).inc_by(bytes as u64);
    }

    /// The registry did not take so many messages.
    pub fn not_stored(&self, messages: usize) {
        self.store_errors.inc_by(messages as u64);
    }

    /// A recipient check was stored.
    pub fn probe(&self) {
        self.probes.inc();
    }

    /// A mail was durable so long after its last byte.
    pub fn durable_after(&self, time: Duration) {
        self.store_seconds.observe(time.as_secs_f64());
    }

    /// A message has become a sighting.
    pub fn settled(&self, channel: &'static str, kind: &'static str) {
        let labels = [("channel", channel), ("kind", kind)];
        self.settled.get_or_create(&labels).inc();
    }

    /// A message could not be settled.
    pub fn not_settled(&self) {
        self.settle_errors.inc();
    }

    /// An HTTP request was answered. The route is the pattern that it met, not what was asked for.
    pub fn request(&self, route: &str, status: u16) {
        let labels = [("route", route.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
    }

    /// An alert was tried at a place: `sent`, `failed`, or `given_up`.
    pub fn alert_tried(&self, place: &str, result: &str) {
        let labels = [("place", place.to_owned()), ("result", result.to_owned())];
        self.alert_tries.get_or_create(&labels).inc();
    }

    /// When the certificate in use ends.
    pub fn certificate_until(&self, unix_seconds: u64) {
        self.certificate_until.set(unix_seconds as f64);
    }

    /// A mailbox elsewhere was read.
    pub fn mailbox_read(&self, name: &str, unix_seconds: i64) {
        let label = [("mailbox", name.to_owned())];
        self.mailbox_up.get_or_create(&label).set(1);
        self.mailbox_read.get_or_create(&label).set(unix_seconds);
    }

    /// A mailbox elsewhere could not be read.
    pub fn mailbox_failed(&self, name: &str) {
        let label = [("mailbox", name.to_owned())];
        self.mailbox_up.get_or_create(&label).set(0);
    }

    /// Everything as Prometheus reads it. `standing`: what the registry says, if it can be read.
    pub fn text(&self, standing: Option<Standing>) -> String {
        self.readable.set(i64::from(standing.is_some()));
        if let Some(standing) = standing {
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            self.unsettled.set(number(standing.unsettled));
            self.alerts_waiting.set(number(standing.alerts_waiting));
            self.alerts_dead.set(number(standing.alerts_dead));
            self.campaigns_missing
                .set(number(standing.campaigns_missing));
        }
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_while_it_lasts_and_the_text_is_openmetrics() {
        let metrics = Metrics::new();
        let open = metrics.connection("smtp");
        metrics.message("smtp", "accepted");
        metrics.durable_after(Duration::from_millis(3));
        let standing = Standing {
            unsettled: 4,
            alerts_waiting: 1,
            alerts_dead: 0,
            campaigns_missing: 2,
        };
        let text = metrics.text(Some(standing));
        for line in [
            "otori_connections_total{protocol=\"smtp\"} 1",
            "otori_open_connections{protocol=\"smtp\"} 1",
            "otori_messages_total{protocol=\"smtp\",answer=\"accepted\"} 1",
            "otori_store_seconds_bucket{le=\"0.005\"} 1",
            "otori_store_seconds_bucket{le=\"0.0025\"} 0",
            "otori_unsettled_messages 4",
            "otori_campaigns_missing 2",
            "otori_registry_readable 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|is| is == line), "{line}: {text}");
        }
        drop(open);
        let text = metrics.text(None);
        assert!(text.contains("otori_open_connections{protocol=\"smtp\"} 0\n"));
        assert!(text.contains("otori_registry_readable 0\n"));
        assert!(
            text.contains("otori_unsettled_messages 4\n"),
            "the last known"
        );
    }
}
