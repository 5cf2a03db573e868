// Photographs and signatures before they are sent: made small, shown, without what the camera wrote beside them.
const LONGEST = 1600;

const encoded = (canvas, type, quality) => new Promise(done => canvas.toBlob(done, type, quality));

/** A photograph as a JPEG of at most 1600 points; the file itself where the phone cannot make one. */
const compressed = async file => {
	try {
		const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
		const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
		const canvas = document.createElement("canvas");
		canvas.width = Math.max(1, Math.round(picture.width * scale));
		canvas.height = Math.max(1, Math.round(picture.height * scale));
		canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
		picture.close();
		return await encoded(canvas, "image/jpeg", 0.82) || file;
	} catch {
		return file;
	}
};

/** Strokes as a picture, black on white whatever the theme. */
const drawn = strokes => {
	const points = strokes.flat();
	const canvas = document.createElement("canvas");
	canvas.width = Math.max(...points.map(([x]) => x), 200) * 2 + 40;
	canvas.height = Math.max(...points.map(([, y]) => y), 80) * 2 + 40;
	const ink = canvas.getContext("2d");
	ink.fillStyle = "#fff";
	ink.fillRect(0, 0, canvas.width, canvas.height);
	ink.scale(2, 2);
	ink.translate(10, 10);
	ink.lineWidth = 2.5;
	ink.lineCap = ink.lineJoin = "round";
	for (const stroke of strokes) {
		ink.beginPath();
		ink.moveTo(...stroke[0]);
		stroke.forEach(point => ink.lineTo(...point));
		ink.stroke();
	}
	return encoded(canvas, "image/png");
};

/** What was just taken, under the button that took it. */
const showPictures = input => {
	const place = document.querySelector(`[data-previews="${input.name}"]`);
	place?.replaceChildren(...[...input.files].map(file => {
		const tile = document.createElement("span");
		const image = document.createElement("img");
		tile.className = "tile";
		image.alt = file.name;
		image.src = URL.createObjectURL(file);
		image.onload = () => URL.revokeObjectURL(image.src);
		tile.append(image);
		return tile;
	}));
};

window.courierPictures = { compressed, drawn, showPictures };
