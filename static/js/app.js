// Behaviour of the pages: small custom elements and what htmx needs. Every page works without this file.
const root = document.documentElement;
const russian = root.lang !== "en";
const group = russian ? "\u00a0" : ",";
const point = russian ? "," : ".";

/** "1 240,5" as people of the page's language type it, or NaN-free 0. */
const num = text => {
	const plain = String(text).replace(/[\s\u00a0]/g, "");
	return parseFloat(russian ? plain.replace(",", ".") : plain.replace(/,/g, "")) || 0;
};

/** A number as the page writes it. */
const fmt = value => {
	const [whole, rest] = String(value).split(".");
	return whole.replace(/\B(?=(\d{3})+$)/g, group) + (rest ? point + rest : "");
};

const say = text => {
	const place = document.getElementById("say");
	if (place) {
		place.textContent = "";
		setTimeout(() => { place.textContent = text; }, 60);
	}
};

/** An element that listens from the first time it stands in the page; a morph may move it, which must not count twice. */
class Part extends HTMLElement {
	connectedCallback() {
		if (!this.ready) {
			this.ready = true;
			this.start();
		}
	}
}

// <qty-box step="48" min="48" max="1240" [data-auto]> [−] input [+]; data-auto sends the form after a change
customElements.define("qty-box", class extends Part {
	start() {
		this.input = this.querySelector("input");
		[this.down, this.up] = this.querySelectorAll("button");
		this.down.addEventListener("click", event => this.press(event, -1));
		this.up.addEventListener("click", event => this.press(event, 1));
		this.input.addEventListener("change", event => {
			event.stopPropagation();
			this.set(num(this.input.value));
		});
		this.input.addEventListener("focus", () => this.input.select());
		this.edges(num(this.input.value));
	}

	get step() {
		return parseFloat(this.getAttribute("step")) || 1;
	}

	get least() {
		return parseFloat(this.getAttribute("min")) || 0;
	}

	get most() {
		return parseFloat(this.getAttribute("max")) || Infinity;
	}

	press(event, direction) {
		event.preventDefault();
		this.set(num(this.input.value) + direction * this.step);
	}

	set(wanted) {
		const places = (String(this.getAttribute("step")).split(".")[1] || "").length;
		const last = Math.floor(this.most / this.step + 1e-9) * this.step;
		const whole = Math.ceil(wanted / this.step - 1e-9) * this.step;
		const value = Number(Math.min(last, Math.max(this.least, whole)).toFixed(places));
		this.input.value = fmt(value);
		this.edges(value);
		this.dispatchEvent(new CustomEvent("qty", { detail: value, bubbles: true }));
		if ("auto" in this.dataset) {
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.input.form && this.input.form.requestSubmit(), 350);
		}
	}

	edges(value) {
		this.down.disabled = value <= this.least;
		this.up.disabled = value + this.step > this.most;
	}
});

// <theme-switch><form><button>: as the system → dark → light; the server reads the cookie
customElements.define("theme-switch", class extends Part {
	start() {
		this.addEventListener("submit", event => {
			event.preventDefault();
			const order = ["", "dark", "light"];
			const next = order[(order.indexOf(root.dataset.theme || "") + 1) % 3];
			if (next) {
				root.dataset.theme = next;
			} else {
				delete root.dataset.theme;
			}
			document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
		});
	}
});

// <dialog-open><a href="#id">: a real modal; without script the dialog opens by :target
customElements.define("dialog-open", class extends Part {
	start() {
		this.addEventListener("click", event => {
			const dialog = document.querySelector(this.querySelector("a").hash);
			if (!dialog) {
				return;
			}
			event.preventDefault();
			dialog.showModal();
			dialog.onclick = inside => {
				if (inside.target === dialog || inside.target.closest("a[href='#']")) {
					inside.preventDefault();
					dialog.close();
				}
			};
		});
	}
});

// Suggestions under the search field come by htmx; arrows move, Enter opens, Esc closes. Tab and the button still search.
const asked = document.getElementById("q");
if (asked) {
	const box = () => document.getElementById("suggest");
	const options = () => [...box().querySelectorAll("[role=option]")];
	const mark = wanted => {
		options().forEach(option => {
			option.classList.toggle("is-on", option === wanted);
			option.setAttribute("aria-selected", String(option === wanted));
		});
		if (wanted) {
			asked.setAttribute("aria-activedescendant", wanted.id);
		} else {
			asked.removeAttribute("aria-activedescendant");
		}
	};
	const close = () => {
		box().className = "";
		box().replaceChildren();
		mark(null);
		asked.setAttribute("aria-expanded", "false");
	};
	asked.addEventListener("keydown", event => {
		const known = options();
		const at = known.findIndex(option => option.classList.contains("is-on"));
		if (event.key === "Escape" && known.length) {
			event.preventDefault();
			close();
		} else if (event.key === "Enter" && at >= 0) {
			event.preventDefault();
			known[at].click();
		} else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && known.length) {
			event.preventDefault();
			const step = event.key === "ArrowDown" ? 1 : -1;
			mark(known[(Math.max(at, step < 0 ? 0 : -1) + step + known.length) % known.length]);
		}
	});
	asked.form.addEventListener("focusout", event => {
		if (!asked.form.contains(event.relatedTarget)) {
			close();
		}
	});
	document.body.addEventListener("htmx:afterSettle", () => {
		asked.setAttribute("aria-expanded", String(options().length > 0));
	});
}

// <sign-pad><canvas><input type="hidden"><button>: a signature, kept as strokes
customElements.define("sign-pad", class extends Part {
	start() {
		this.canvas = this.querySelector("canvas");
		this.output = this.querySelector("input");
		this.strokes = [];
		this.now = null;
		this.fit();
		this.canvas.addEventListener("pointerdown", event => {
			this.canvas.setPointerCapture(event.pointerId);
			this.now = [this.at(event)];
			this.strokes.push(this.now);
		});
		this.canvas.addEventListener("pointermove", event => this.draw(event));
		this.canvas.addEventListener("pointerup", () => this.end());
		this.canvas.addEventListener("pointercancel", () => this.end());
		this.querySelector("button").addEventListener("click", () => {
			this.strokes = [];
			this.fit();
			this.end();
		});
	}

	fit() {
		const { canvas } = this;
		canvas.width = canvas.clientWidth * devicePixelRatio;
		canvas.height = canvas.clientHeight * devicePixelRatio;
		this.ink = canvas.getContext("2d");
		this.ink.scale(devicePixelRatio, devicePixelRatio);
		this.ink.lineWidth = 2.5;
		this.ink.lineCap = this.ink.lineJoin = "round";
		this.ink.strokeStyle = getComputedStyle(canvas).color;
	}

	at(event) {
		const edge = this.canvas.getBoundingClientRect();
		return [Math.round(event.clientX - edge.left), Math.round(event.clientY - edge.top)];
	}

	draw(event) {
		if (!this.now) {
			return;
		}
		const place = this.at(event);
		this.ink.beginPath();
		this.ink.moveTo(...this.now[this.now.length - 1]);
		this.ink.lineTo(...place);
		this.ink.stroke();
		this.now.push(place);
	}

	end() {
		this.now = null;
		this.output.value = this.strokes.length ? JSON.stringify(this.strokes) : "";
	}
});

// <chart-hover><svg><output>: says the value of the nearest point
customElements.define("chart-hover", class extends Part {
	start() {
		const points = [...this.querySelectorAll("[data-say]")];
		const output = this.querySelector("output");
		this.addEventListener("pointermove", event => {
			let best = null;
			let far = Infinity;
			for (const dot of points) {
				const edge = dot.getBoundingClientRect();
				const away = Math.abs(edge.left + edge.width / 2 - event.clientX);
				if (away < far) {
					far = away;
					best = dot;
				}
			}
			if (best) {
				output.textContent = best.dataset.say;
			}
		});
	}
});

// <wall-draw>: figures with data-from="<name of a field>" follow what is typed; the server redraws the shape
customElements.define("wall-draw", class extends Part {
	start() {
		const form = this.closest("form") || document.getElementById(this.dataset.form || "");
		const figures = [...this.querySelectorAll("[data-from]")];
		if (!form || !figures.length) {
			return;
		}
		form.addEventListener("input", event => {
			for (const figure of figures.filter(one => one.dataset.from === event.target.name)) {
				figure.textContent = `${event.target.value}\u00a0${figure.dataset.unit}`;
			}
		});
	}
});

// the name of the chosen file stands where it was asked for: the input itself is invisible
document.addEventListener("change", event => {
	if (event.target.matches(".upload input") && event.target.files.length) {
		event.target.parentElement.querySelector("label").textContent = [...event.target.files].map(file => file.name).join(", ");
	}
});

// a form with data-auto sends itself when a choice in it changes (order of a list, language, filters)
document.addEventListener("change", event => {
	const form = event.target.form;
	if (form && "auto" in form.dataset && !event.target.closest("qty-box")) {
		form.requestSubmit();
	}
});

// Who signs out leaves no pages of a route in the phone; taps that wait stay until the same person comes back
addEventListener("submit", event => {
	if (window.caches && event.target.getAttribute("action") === "/logout") {
		caches.keys().then(names => names.filter(name => name.startsWith("courier-pages-")).forEach(name => caches.delete(name)));
	}
});

// htmx: token with every change; polled parts are fetched again only when they differ
const etags = new Map();
document.addEventListener("htmx:configRequest", event => {
	const { headers, verb, path, elt } = event.detail;
	const token = document.querySelector("meta[name=csrf-token]");
	if (token && verb !== "get") {
		headers["X-CSRFToken"] = token.content;
	}
	if (verb === "get") {
		const { formData } = event.detail;
		for (const name of new Set(formData.keys())) {
			if (formData.getAll(name).every(value => value === "")) {
				formData.delete(name); // an address says what is chosen, not what is not
			}
		}
	}
	if (verb === "get" && "live" in elt.dataset && etags.has(path)) {
		headers["If-None-Match"] = etags.get(path);
	}
});
document.addEventListener("htmx:beforeOnLoad", event => {
	const { elt, requestConfig, xhr } = event.detail;
	const tag = xhr && xhr.getResponseHeader("ETag");
	if (tag && elt.dataset && "live" in elt.dataset) {
		etags.set(requestConfig.path, tag);
	}
});

// after a refused form the summary gets the focus; otherwise an element that asks for it
document.addEventListener("htmx:afterSettle", event => {
	const refused = event.detail.xhr && event.detail.xhr.status === 422;
	const place = document.querySelector(refused ? "[data-focus]" : "[data-focus-after]");
	if (place) {
		place.focus();
	}
});
if (!location.hash) {
	document.querySelector("[data-focus]")?.focus();
}

// spoken messages: the server's `announce` event, and silence of the server
document.addEventListener("announce", event => say(event.detail.text));
for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
	document.addEventListener(failure, event => {
		if (!("live" in (event.detail.elt?.dataset || {}))) {
			say(document.getElementById("say")?.dataset.failed || "");
		}
	});
}

// A cell of a table: Esc puts back what was there.
document.addEventListener("keydown", event => {
	if (event.key === "Escape" && event.target.matches?.("input[data-cell]")) {
		event.target.value = event.target.defaultValue;
	}
});
