import { Component, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatCurrency } from "@web/core/currency";
import { deserializeDate, deserializeDateTime, toLocaleDateString, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { pick } from "@web/core/utils/objects";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

// Whether details are shown is remembered for this browser, apart for stopped orders and for those being typed.
const OPEN_KEYS = { stopped: "credit_insurance.card.stopped", live: "credit_insurance.card.live" };

const SOURCES = {
    overdue: { label: _t("Overdue"), color: "bg-danger", opens: true },
    not_due: { label: _t("Open, not due"), color: "bg-primary", opens: true },
    confirmed: { label: _t("Confirmed, not invoiced"), color: "bg-info", opens: true },
    reserved: { label: _t("Being confirmed elsewhere"), color: "bg-secondary", opens: false },
    credits: { label: _t("Payments and credits not applied"), color: "", opens: true },
};
const LAYERS = {
    insured: { label: _t("insured"), color: "o_credit_layer_insured" },
    own: { label: _t("own"), color: "o_credit_layer_own" },
    guaranteed: { label: _t("guaranteed"), color: "o_credit_layer_guaranteed" },
};
const ICONS = { hold: "fa-ban", observe: "fa-eye", tight: "fa-exclamation-triangle", pass: "fa-check" };
const COLORS = { hold: "danger", observe: "info", tight: "warning", pass: "success" };

/**
 * What the credit gate says about the order, drawn. The shape of the field's value, and what it may contain for whom,
 * is documented with the model `credit.insurance.card`.
 */
export class DecisionCard extends Component {
    static template = "credit_insurance.DecisionCard";
    static props = { ...standardFieldProps };

    setup() {
        this.preferences = useState({
            stopped: browser.localStorage.getItem(OPEN_KEYS.stopped) !== "0",
            live: browser.localStorage.getItem(OPEN_KEYS.live) === "1",
        });
        this.detailsId = `credit_card_details_${this.props.record.id}`;
        this.sources = SOURCES;
        this.layers = LAYERS;
    }

    get card() {
        return this.props.record.data[this.props.name];
    }

    get isStopped() {
        return ["held", "rejected"].includes(this.card.state);
    }

    get isOpen() {
        return this.isStopped ? this.preferences.stopped : this.preferences.live;
    }

    toggle() {
        const key = this.isStopped ? "stopped" : "live";
        this.preferences[key] = !this.preferences[key];
        browser.localStorage.setItem(OPEN_KEYS[key], this.preferences[key] ? "1" : "0");
    }

    // What to say

    get color() {
        return this.isStopped && this.card.tone === "pass" ? "success" : COLORS[this.card.tone];
    }

    get isLoud() {
        return this.isStopped || this.card.tone === "hold";
    }

    get icon() {
        return ICONS[this.card.tone];
    }

    /** One line that says it all: where the order stands, and by how much. */
    get headline() {
        const { state, tone, now } = this.card;
        const stops = tone === "hold";
        if (state === "rejected") {
            return stops ? _t("Credit was rejected: %s", this.matter) : _t("Credit was rejected, but it would pass now");
        }
        if (state === "held") {
            return stops ? _t("Held: %s", this.matter) : _t("Held, but it would pass now: confirm it again");
        }
        if (stops) {
            return _t("Would be held: %s", this.matter);
        }
        if (tone === "observe") {
            return now ? _t("Beyond credit: %s", this.matter) : this.card.basis;
        }
        if (state === "ready") {
            return _t("Ready to confirm: credit allows it now");
        }
        const rooms = now.limit === null ? [] : [now.headroom];
        if (now.shared) {
            rooms.push(now.shared.limit - now.shared.exposure);
        }
        const left = rooms.length ? Math.min(...rooms) - Math.max(now.document - now.prepaid, 0) : null;
        return left === null || left < 0
            ? _t("Credit allows it. %s", this.card.basis)
            : _t("Credit allows it: %s left after this order", this.money(left));
    }

    /** What is the matter, in a few words. */
    get matter() {
        const { now, reasons } = this.card;
        if (now.shortfall > 0) {
            return _t("short %s", this.money(now.shortfall));
        }
        return reasons.find((reason) => reason.kind === "hold")?.text || "";
    }

    get hint() {
        const way = this.card.ways.find((item) => item.kind === "split");
        return way ? _t("%s would pass now", this.orderMoney(way.amount)) : "";
    }

    money(amount) {
        return formatCurrency(amount, this.card.currency_id);
    }

    orderMoney(amount) {
        return formatCurrency(amount, this.card.order_currency_id);
    }

    moment(value) {
        return toLocaleDateTimeString(deserializeDateTime(value), { showSeconds: false });
    }

    get heldSince() {
        return _t("Held since %s.", this.moment(this.card.decider.since));
    }

    get dataAge() {
        const days = this.card.data_age_days;
        if (days === null) {
            return "";
        }
        if (days < 2) {
            return days ? _t("Insurer's data: of yesterday") : _t("Insurer's data: of today");
        }
        return _t("Insurer's data: %s days old", days);
    }

    /** Rows of the comparison with the moment when the order was stopped. */
    get comparison() {
        const { then, now } = this.card;
        const rows = [
            ["limit", _t("Limit in force")],
            ["exposure", _t("Exposure")],
            ["document", _t("This order")],
            ["shortfall", _t("Short")],
        ];
        const shown = (figures, key) =>
            figures && figures[key] !== null && figures[key] !== undefined ? this.money(figures[key]) : "–";
        return rows.map(([key, label]) => ({ key, label, then: shown(then, key), now: shown(now, key) }));
    }

    get isUnchanged() {
        return this.comparison.every((row) => row.then === row.now);
    }

    // The bar

    /**
     * Parts of the bar in percent of the whole. Credits and payments lower what is owed from the oldest item on, as
     * they do in the sum, so that the end of the bar is the exposure with this order.
     */
    get bar() {
        const { now } = this.card;
        const amounts = Object.fromEntries(now.sources.map(({ source, amount }) => [source, amount]));
        let credits = -(amounts.credits || 0);
        const parts = [];
        for (const source of ["overdue", "not_due", "confirmed", "reserved"]) {
            const net = Math.max((amounts[source] || 0) - credits, 0);
            credits = Math.max(credits - (amounts[source] || 0), 0);
            parts.push({ key: source, amount: net, ...SOURCES[source] });
        }
        const atRisk = Math.max(now.document - now.prepaid - credits, 0);
        parts.push({ key: "document", amount: atRisk, label: _t("This order"), color: "o_credit_document" });
        const used = parts.reduce((sum, part) => sum + part.amount, 0);
        const shared = this.sharedEnd;
        const whole = Math.max(used, now.limit ?? shared ?? 0) || 1;
        const percent = (amount) => Math.min(Math.max((100 * amount) / whole, 0), 100);
        const shownParts = parts.filter((part) => part.amount > 0);
        for (const part of shownParts) {
            part.percent = percent(part.amount);
        }
        const end = Math.min(now.limit ?? Infinity, shared ?? Infinity);
        return {
            parts: shownParts,
            limit: now.limit === null ? null : percent(now.limit),
            // Further right the buyer's own limit ends first.
            shared: shared === null || shared > whole ? null : percent(shared),
            over: percent(used) - percent(Math.min(end, used)),
            free: 100 - percent(used),
            ...this.marks(percent),
        };
    }

    /** Up to where the buyer's bar may reach: what it owes, and what all who share the limit leave of it. */
    get sharedEnd() {
        const { shared, exposure } = this.card.now;
        return shared ? Math.max(exposure + shared.limit - shared.exposure, 0) : null;
    }

    get sharedText() {
        const { name, limit, exposure } = this.card.now.shared;
        const amounts = { name, limit: this.money(limit), exposure: this.money(exposure) };
        return _t("Shared limit of %(name)s: %(limit)s, of which all its buyers use %(exposure)s", amounts);
    }

    /** The make-up of the limit under the bar, and where the insured part ends. */
    marks(percent) {
        const layers = [];
        let start = 0;
        for (const { kind, amount } of this.card.now.layers) {
            const width = percent(Math.min(amount, this.card.now.limit - start));
            if (width > 0) {
                layers.push({ kind, width, amount, ...LAYERS[kind] });
                start += amount;
            }
        }
        const insured = this.card.now.layers.find((layer) => layer.kind === "insured");
        const apart = insured && insured.amount < this.card.now.limit;
        return { layers, insured: apart ? percent(insured.amount) : null };
    }

    get barText() {
        const { now } = this.card;
        const parts = now.sources.map(({ source, amount }) => `${SOURCES[source].label}: ${this.money(amount)}`);
        parts.push(_t("This order: %s", this.money(now.document)));
        if (now.limit !== null) {
            parts.push(_t("Limit in force: %s", this.money(now.limit)));
        }
        if (now.shared) {
            parts.push(this.sharedText);
        }
        return parts.join(", ");
    }

    // Ways out

    wayTexts(way) {
        const texts = {
            split: () => [_t("%s passes now, the rest follows later.", this.orderMoney(way.amount)), _t("Split the Quotation")],
            prepay: () => [_t("A prepayment of %s lets it pass.", this.orderMoney(way.amount)), _t("Payment Link")],
            term: () => [
                way.enough
                    ? _t("It passes with the payment term %s.", way.name)
                    : _t("The payment term %s is the longest that is covered.", way.name),
                _t("Set This Term"),
            ],
            wait: () => [
                _t("By %(date)s due payments of %(amount)s are expected, which is enough.", {
                    date: toLocaleDateString(deserializeDate(way.date)),
                    amount: this.money(way.limit_amount),
                }),
                _t("Remind Me"),
            ],
            insurer: () => [_t("A higher limit lets it pass."), _t("Ask for a Limit")],
            decide: () => [_t("The decision is yours."), _t("Release")],
            release: () => [_t("Credit can let this one order pass."), _t("Ask for Release")],
            confirm: () => [_t("It passes now."), _t("Confirm")],
        };
        const [text, label] = texts[way.kind]();
        return { text, label };
    }

    // Clicks

    /** Do as a button of the form does: save first, reload afterwards. */
    call(method, args) {
        return this.env.onClickViewButton({
            clickParams: { type: "object", name: method, ...(args ? { args: JSON.stringify(args) } : {}) },
            getResParams: () => pick(this.props.record, "context", "evalContext", "resModel", "resId", "resIds"),
        });
    }

    openSource(source) {
        return this.call("action_credit_open_exposure", [source]);
    }
}

registry.category("fields").add("credit_decision_card", { component: DecisionCard, supportedTypes: ["json"] });
