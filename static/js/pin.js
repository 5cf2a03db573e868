// <pin-map data-lat="id of a field" data-lon="id of a field" …as live-map> puts the pin where the map is clicked, and moves it
// with the arrow keys (a step is eight pixels of the map). The fields hold what the form sends; they work without this script.
await customElements.whenDefined("live-map");
const STEP = 8;
const WAYS = { ArrowUp: [0, -STEP], ArrowDown: [0, STEP], ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0] };

customElements.define("pin-map", class extends customElements.get("live-map") {
	async connectedCallback() {
		this.latField = document.getElementById(this.dataset.lat);
		this.lonField = document.getElementById(this.dataset.lon);
		await super.connectedCallback();
		if (!this.map) {
			return;
		}
		this.map.keyboard.disable();
		this.addEventListener("keydown", event => this.step(event));
		for (const field of [this.latField, this.lonField]) {
			field.addEventListener("input", () => this.draw());
		}
		this.draw();
	}

	/** Where the fields say, or null. */
	get place() {
		const [lat, lon] = [this.latField, this.lonField].map(field => Number.parseFloat(field.value.replace(",", ".")));
		return Number.isFinite(lat) && Number.isFinite(lon) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? L.latLng(lat, lon) : null;
	}

	put(at) {
		this.latField.value = at.lat.toFixed(6);
		this.lonField.value = at.lng.toFixed(6);
		this.draw();
	}

	tell(at) {
		this.put(at.latlng);
	}

	step(event) {
		const way = WAYS[event.key];
		if (!way || event.target !== this) {
			return;
		}
		event.preventDefault();
		const from = this.map.latLngToContainerPoint(this.place || this.map.getCenter());
		this.put(this.map.containerPointToLatLng(from.add(way)));
	}

	draw() {
		const at = this.place;
		this.chosen?.remove();
		if (!at) {
			return;
		}
		const icon = L.divIcon({ className: "map-pin k2 now", html: "", iconSize: [28, 28] });
		this.chosen = L.marker(at, { icon, interactive: false, keyboard: false }).addTo(this.map);
		if (!this.map.getBounds().contains(at)) {
			this.map.panTo(at, { animate: false });
		}
	}
});
