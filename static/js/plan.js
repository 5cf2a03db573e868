// <plan-desk data-url data-held data-place data-back>: stops and waiting deliveries are moved by pointer or by keys.
//
// A .grab button holds its row (li). By pointer: press, drag over a list of stops, let go. By keys: Enter or Space takes
// it, arrows move it (through all trucks), Enter puts it down, Escape lets go. The server times and draws what comes of it.
// Without this file the buttons and forms of the page do the same.
const GRAB = ".grab:not([disabled])";

customElements.define("plan-desk", class extends HTMLElement {
	connectedCallback() {
		if (this.ready) {
			return;
		}
		this.ready = true;
		this.addEventListener("pointerdown", event => this.press(event));
		this.addEventListener("pointermove", event => this.drag(event));
		this.addEventListener("pointerup", event => this.release(event));
		this.addEventListener("pointercancel", () => this.letGo());
		this.addEventListener("keydown", event => this.key(event));
		this.addEventListener("focusout", event => {
			if (this.held && !this.moving && event.target === this.held.button && !this.held.pointer) {
				this.letGo();
			}
		});
		document.addEventListener("htmx:beforeSwap", event => {
			const { xhr, target } = event.detail;
			if (target?.id === "desk-routes" && [409, 412].includes(xhr.status)) {
				event.detail.shouldSwap = true; // the part says what is true now and who was quicker
				event.detail.isError = false;
			}
		});
		document.addEventListener("htmx:afterSettle", event => {
			const button = this.focusId && event.detail.target?.id === "desk-routes" && document.getElementById(this.focusId);
			if (button) {
				button.focus();
				this.focusId = "";
			}
		});
	}

	lists() {
		return [...this.querySelectorAll("ol.stops")];
	}

	hold(button, pointer) {
		const row = button.closest("li");
		this.held = { button, row, pointer, parent: row.parentElement, next: row.nextElementSibling };
		row.classList.add("is-held");
		button.setAttribute("aria-pressed", "true");
	}

	/** By keys the row itself goes there, and the focus with it; by pointer a line marks the place and nothing shifts. */
	place(list, before) {
		const { row, button, pointer } = this.held;
		const thing = pointer ? this.mark() : row;
		if (thing.parentElement === list && thing.nextElementSibling === before) {
			return;
		}
		this.moving = true;
		list.insertBefore(thing, before);
		this.moving = false;
		if (!pointer) {
			button.focus();
			row.scrollIntoView({ block: "nearest" });
			const rows = [...list.children];
			this.say(this.dataset.place.replace("{truck}", list.dataset.truck).replace("{place}", rows.indexOf(row) + 1).replace("{of}", rows.length));
		}
	}

	mark() {
		if (!this.line) {
			this.line = document.createElement("li");
			this.line.className = "mark";
			this.line.setAttribute("aria-hidden", "true");
		}
		return this.line;
	}

	letGo() {
		if (!this.held) {
			return;
		}
		const { row, button, parent, next } = this.held;
		this.moving = true;
		if (parent.isConnected) {
			parent.insertBefore(row, next?.parentElement === parent ? next : null);
		}
		this.moving = false;
		this.loose(row, button);
	}

	loose(row, button) {
		this.line?.remove();
		row.classList.remove("is-held");
		button.removeAttribute("aria-pressed");
		this.held = null;
	}

	put() {
		const { row, button, pointer, parent, next } = this.held;
		const thing = pointer && this.line?.isConnected ? this.line : row;
		const list = thing.parentElement;
		const before = thing.nextElementSibling;
		if ((list === parent && [row, next].includes(before)) || !list.matches("ol.stops")) {
			this.letGo();
			return;
		}
		this.loose(row, button);
		const values = { vehicle: list.dataset.vehicle, version: this.querySelector("#desk-form [name=version]").value };
		if (button.dataset.stop) {
			Object.assign(values, { op: "move", stop: button.dataset.stop });
		} else {
			Object.assign(values, { op: "assign", delivery: button.dataset.delivery, lot: button.dataset.lot || "" });
		}
		Object.assign(values, before ? { before: before.dataset.stop } : { last: "1" });
		this.focusId = button.id;
		window.htmx.ajax("POST", this.dataset.url, { source: this, target: "#desk-routes", swap: "morph:outerHTML", values });
	}

	press(event) {
		const button = event.target.closest(GRAB);
		if (!button || event.button !== 0) {
			return;
		}
		event.preventDefault();
		this.letGo();
		button.focus();
		this.hold(button, true);
		this.setPointerCapture(event.pointerId);
	}

	drag(event) {
		if (!this.held?.pointer) {
			return;
		}
		const edge = 60;
		if (event.clientY < edge || event.clientY > innerHeight - edge) {
			scrollBy(0, event.clientY < edge ? -12 : 12);
		}
		const panel = document.elementFromPoint(event.clientX, event.clientY)?.closest("#desk-form > section");
		const list = panel?.querySelector("ol.stops");
		if (!list) {
			return;
		}
		const rows = [...list.children].filter(row => row !== this.line);
		const before = rows.find(row => {
			const box = row.getBoundingClientRect();
			return event.clientY < box.top + box.height / 2;
		});
		this.place(list, before || null);
	}

	release(event) {
		if (this.held?.pointer) {
			this.drag(event);
			this.put();
		}
	}

	key(event) {
		const button = event.target.closest(GRAB);
		if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.target.matches("input, textarea, select")) {
			event.preventDefault();
			this.querySelector("#undo:not([disabled])")?.click();
			return;
		}
		if (!button) {
			return;
		}
		const enter = event.key === "Enter" || event.key === " ";
		if (!this.held) {
			if (enter) {
				event.preventDefault();
				this.hold(button, false);
				this.say(this.dataset.held);
			}
			return;
		}
		if (event.key === "Escape") {
			event.preventDefault();
			this.letGo();
			button.focus();
			this.say(this.dataset.back);
		} else if (enter) {
			event.preventDefault();
			this.put();
		} else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			this.step(event.key === "ArrowDown" ? 1 : -1);
		}
	}

	/** One place on; past the end of a truck into the next one. */
	step(way) {
		const { row } = this.held;
		const lists = this.lists();
		const list = row.parentElement;
		const at = lists.indexOf(list);
		if (way > 0 && row.nextElementSibling && at >= 0) {
			this.place(list, row.nextElementSibling.nextElementSibling);
		} else if (way < 0 && row.previousElementSibling && at >= 0) {
			this.place(list, row.previousElementSibling);
		} else if (lists[at + way]) {
			const next = lists[at + way];
			this.place(next, way > 0 ? next.firstElementChild : null);
		}
	}

	say(text) {
		document.dispatchEvent(new CustomEvent("announce", { detail: { text } }));
	}
});
