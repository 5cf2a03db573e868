// Photographs of a card: files are sent one by one, and a crop is a frame that is dragged. Both forms work without this.

// <send-each><form> with several files: each is a request of its own, so that large ones fit and the page can count
customElements.define("send-each", class extends HTMLElement {
	connectedCallback() {
		const form = this.querySelector("form");
		form.addEventListener("submit", event => {
			const input = form.querySelector("input[type=file]");
			if (input.files.length > 1) {
				event.preventDefault();
				this.send(form, input);
			}
		});
	}

	async send(form, input) {
		const bar = this.querySelector("progress");
		const button = form.querySelector("[type=submit]");
		button.disabled = true;
		bar.hidden = false;
		bar.max = input.files.length;
		bar.value = 0;
		for (const file of input.files) {
			const body = new FormData();
			body.set("csrf_token", form.elements.csrf_token.value);
			body.set("files", file);
			const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
			if (!answer || (answer.status >= 400 && answer.status !== 413)) {
				break; // the page says what came so far, and why no more
			}
			bar.value += 1;
		}
		location.reload();
	}
});

const LEAST = 32;
const NAMES = ["left", "top", "width", "height"];

// <crop-frame data-width data-height><img>: a frame over the picture that writes the numbers of its form
customElements.define("crop-frame", class extends HTMLElement {
	connectedCallback() {
		if (this.box) {
			return;
		}
		this.form = this.closest("form");
		this.whole = [Number(this.dataset.width), Number(this.dataset.height)];
		this.box = document.createElement("button");
		this.box.type = "button";
		this.box.className = "crop-box";
		this.box.setAttribute("aria-label", this.dataset.label);
		this.box.append(document.createElement("span"));
		this.append(this.box);
		this.box.addEventListener("pointerdown", event => this.grab(event));
		this.box.addEventListener("keydown", event => this.press(event));
		this.form.addEventListener("input", event => this.typed(event.target.name));
		this.typed(this.shape === "own" ? "left" : "shape");
	}

	get shape() {
		return this.form.elements.shape.value;
	}

	get frame() {
		return NAMES.map(name => parseInt(this.form.elements[name].value, 10) || 0);
	}

	typed(name) {
		if (NAMES.includes(name)) {
			this.form.elements.shape.value = "own";
			this.draw(this.frame);
		} else if (name === "shape" || name === "place") {
			this.choose();
		}
	}

	/** The largest frame of the chosen shape, where the server would put it. */
	choose() {
		const [across, down] = this.whole;
		let size = [across, down];
		if (this.shape.includes(":")) {
			const [a, b] = this.shape.split(":").map(Number);
			size = [Math.min(across, Math.floor(down * a / b)), Math.min(down, Math.floor(across * b / a))];
		} else if (this.shape === "own") {
			size = null;
		}
		if (size) {
			const share = { start: 0, middle: .5, end: 1 }[this.form.elements.place.value];
			this.write([Math.floor((across - size[0]) * share), Math.floor((down - size[1]) * share), ...size]);
		} else {
			this.draw(this.frame);
		}
	}

	/** Keep the frame inside the picture, write it into the form and draw it. */
	set([left, top, width, height]) {
		const [across, down] = this.whole;
		const wide = Math.min(Math.max(width, Math.min(LEAST, across)), across);
		const high = Math.min(Math.max(height, Math.min(LEAST, down)), down);
		this.form.elements.shape.value = "own";
		this.write([
			Math.min(Math.max(left, 0), across - wide), Math.min(Math.max(top, 0), down - high), wide, high,
		].map(Math.round));
	}

	write(frame) {
		NAMES.forEach((name, i) => { this.form.elements[name].value = frame[i]; });
		this.draw(frame);
	}

	draw([left, top, width, height]) {
		const [across, down] = this.whole;
		const style = this.box.style;
		style.left = `${left / across * 100}%`;
		style.top = `${top / down * 100}%`;
		style.width = `${width / across * 100}%`;
		style.height = `${height / down * 100}%`;
	}

	grab(event) {
		event.preventDefault();
		this.box.focus();
		this.box.setPointerCapture(event.pointerId);
		const from = this.frame;
		const scale = this.whole[0] / this.querySelector("img").clientWidth;
		const resizes = event.target !== this.box;
		const follow = moved => {
			const x = (moved.clientX - event.clientX) * scale;
			const y = (moved.clientY - event.clientY) * scale;
			const [left, top, width, height] = from;
			if (resizes) {
				const [across, down] = this.whole;
				this.set([left, top, Math.min(width + x, across - left), Math.min(height + y, down - top)]);
			} else {
				this.set([left + x, top + y, width, height]);
			}
		};
		this.box.addEventListener("pointermove", follow);
		this.box.addEventListener("lostpointercapture", () => this.box.removeEventListener("pointermove", follow), { once: true });
	}

	press(event) {
		const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
		if (!way) {
			return;
		}
		event.preventDefault();
		const step = Math.max(1, Math.round(this.whole[0] / 100));
		const [left, top, width, height] = this.frame;
		const [x, y] = way.map(one => one * step);
		const [across, down] = this.whole;
		this.set(event.shiftKey
			? [left, top, Math.min(width + x, across - left), Math.min(height + y, down - top)]
			: [left + x, top + y, width, height]);
	}
});
