// <courier-scan>: counts goods by their code, from the camera where the phone reads codes, else from the keyboard.
customElements.define("courier-scan", class extends HTMLElement {
	connectedCallback() {
		this.piece = name => this.querySelector(`[data-part=${name}]`);
		this.field = this.querySelector("input");
		this.piece("add").hidden = this.piece("zero").hidden = false;
		this.piece("scan").hidden = !("BarcodeDetector" in window && navigator.mediaDevices);
		this.piece("add").addEventListener("click", () => this.typed());
		this.piece("zero").addEventListener("click", () => this.lines().forEach(line => line.querySelector("qty-box").set(0)));
		this.piece("scan").addEventListener("click", () => (this.stream ? this.end() : this.camera()));
		this.field.addEventListener("keydown", event => {
			if (event.key === "Enter") {
				event.preventDefault();
				this.typed();
			}
		});
	}

	disconnectedCallback() {
		this.end();
	}

	lines() {
		return [...this.closest("form").querySelectorAll("[data-line]")];
	}

	typed() {
		if (this.field.value.trim()) {
			this.count(this.field.value.trim());
			this.field.value = "";
			this.field.focus();
		}
	}

	count(code) {
		const plain = text => text.toLowerCase().replace(/[\s-]/g, "");
		const line = this.lines().find(one => one.dataset.code && plain(one.dataset.code) === plain(code));
		const told = this.piece("told");
		if (!line) {
			told.textContent = told.dataset.unknown.replace("{code}", code);
			return;
		}
		const box = line.querySelector("qty-box");
		const now = parseFloat(box.input.value.replace(/\s/g, "").replace(",", ".")) || 0;
		box.set(Math.min(box.most, now + 1));
		told.textContent = told.dataset.counted.replace("{name}", line.querySelector("b").textContent).replace("{n}", box.input.value);
		navigator.vibrate?.(60);
	}

	async camera() {
		const video = this.piece("video");
		try {
			this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
		} catch {
			this.piece("scan").hidden = true;
			return;
		}
		video.srcObject = this.stream;
		video.hidden = false;
		await video.play();
		const detector = new BarcodeDetector();
		let before = "";
		let until = 0;
		const look = async () => {
			if (!this.stream) {
				return;
			}
			const [found] = await detector.detect(video).catch(() => []);
			if (found && (found.rawValue !== before || Date.now() > until)) {
				before = found.rawValue;
				until = Date.now() + 2500;  // the same code held before the camera counts once
				this.count(found.rawValue);
			}
			setTimeout(look, 200);
		};
		look();
	}

	end() {
		this.stream?.getTracks().forEach(track => track.stop());
		this.stream = null;
		if (this.piece("video")) {
			this.piece("video").hidden = true;
		}
	}
});
