import { Component, onWillUnmount, useEffect, xml } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const EVERY = 2000;

/** Reads the dry run on the screen again as long as it is running, so that its progress moves. */
export class FollowRun extends Component {
    static template = xml`<span class="d-none"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.timer = null;
        useEffect(
            (running) => {
                browser.clearTimeout(this.timer);
                if (running) {
                    this.wait();
                }
            },
            () => [this.props.record.data.state === "running"]
        );
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    wait() {
        this.timer = browser.setTimeout(async () => {
            const { record } = this.props;
            if (!(await record.isDirty())) {
                await record.load();
            }
            if (record.data.state === "running") {
                this.wait();
            }
        }, EVERY);
    }
}

registry.category("view_widgets").add("credit_follow_run", { component: FollowRun });
