/* The page of the API is dark where the admin is: dark unless the person has chosen otherwise. */
const chosen = JSON.parse(localStorage.getItem("adminTheme") ?? '"dark"');
const light = chosen === "light" || (chosen === "auto" && !window.matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.toggle("dark-mode", !light);
