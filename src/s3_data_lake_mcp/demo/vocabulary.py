"""The words of the demo lake: made-up people, companies, goods and places that exist."""

from dataclasses import dataclass

from s3_data_lake_mcp.demo.draws import Weighted


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A place of customers; postal codes are text, for many begin with a zero."""

    name: str
    postal_start: int
    country: str
    region: str
    dialling: str


def _words(text: str) -> list[str]:
    return text.split("|")


def _city(line: str) -> City:
    name, postal, country, region, dialling = line.split("|")
    return City(
        name=name, postal_start=int(postal), country=country, region=region, dialling=dialling
    )


CITIES = [
    _city(line)
    for line in (
        "Boston|2108|US|North America|+1 617",
        "Newark|7102|US|North America|+1 973",
        "Hartford|6103|US|North America|+1 860",
        "San José|95110|US|North America|+1 408",
        "Chicago|60601|US|North America|+1 312",
        "Austin|73301|US|North America|+1 512",
        "Ciudad de México|6000|MX|Latin America|+52 55",
        "Dresden|1067|DE|Europe|+49 351",
        "Leipzig|4103|DE|Europe|+49 341",
        "Köln|50667|DE|Europe|+49 221",
        "München|80331|DE|Europe|+49 89",
        "Nice|6000|FR|Europe|+33 4",
        "Lyon|69001|FR|Europe|+33 4",
        "Roma|118|IT|Europe|+39 06",
        "Milano|20121|IT|Europe|+39 02",
        "Málaga|29001|ES|Europe|+34 952",
        "Barcelona|8001|ES|Europe|+34 93",
    )
]

GIVEN_NAMES = _words(
    "Ana|Anton|Beatriz|Björn|Chloé|Daniel|Elif|Emma|Félix|Giulia|Hannah|Hugo|Inés|Jonas|José|"
    "Klára|Lars|Léa|Liam|Lucía|Marco|María|Mia|Noah|Nora|Oliver|Paula|Renée|Sofia|Søren|Theo|"
    "Zoë"
)
FAMILY_NAMES = _words(
    "Álvarez|Becker|Bianchi|Brown|Castro|Díaz|Dubois|Fischer|Fontaine|García|Green|Hansen|"
    "Hernández|Jones|Keller|Krüger|Lefèvre|Martin|Meyer|Moreau|Müller|Novák|O'Brien|Rossi|"
    "Sánchez|Schäfer|Smith|Taylor|Vogel|Walker|Weiß|Young"
)
COMPANY_STEMS = _words(
    "Alder|Atlas|Aurora|Beacon|Birch|Cobalt|Copper|Delta|Ember|Falcon|Granite|Harbor|Helix|"
    "Indigo|Juniper|Lumen|Maple|Meridian|Nimbus|Northwind|Onyx|Orchid|Pioneer|Quartz|Ridge|"
    "Sierra|Summit|Tundra|Umber|Vertex|Willow|Zephyr"
)
COMPANY_TRADES = _words(
    "Analytics|Bikes|Ceramics|Electric|Foods|Freight|Furniture|Labs|Logistics|Machines|Media|"
    "Optics|Paper|Pharma|Robotics|Textiles"
)
COMPANY_FORMS = ("Inc.", "LLC", "Ltd.", "GmbH", "GmbH & Co. KG", "S.A.", "S.r.l.", "& Sons, Inc.")
STREETS = _words(
    "Main Street|High Street|Station Road|Hauptstraße|Bahnhofstraße|Rue de l'Église|Via Roma|"
    "Calle Mayor|Avenida Juárez|Mill Lane|Gartenweg|Boulevard Gambetta"
)
SEGMENTS = Weighted([("small", 60), ("mid-market", 28), ("enterprise", 9), ("public", 3)])
INDUSTRIES = _words(
    "Automotive|Construction|Education|Energy|Finance|Food & Beverage|Healthcare|Hospitality|"
    "Logistics|Manufacturing|Media|Retail|Software|Telecom"
)
NOTES = (
    'Prefers e-mail, not phone; said "call me never".',
    "VIP, handle with care",
    "Asked for a discount of 10 %, granted once.",
    "Moved offices:\nnew address as of March,\nold one invalid.",
    "Paiement à 30 jours, contact: Mme Lefèvre",
    "Lieferung nur dienstags, Rampe 3 (großer Lkw möglich)",
    "お得意様。請求書はPDFで",
    "Renewal in Q4 🎯",
    'Legal name is "The Other Company", see contract',
    "Duplicate of another record? Check before merging, please.",
)

STORES = (
    "BOS-01|Boston|US|2012-05-14|1850",
    "CHI-01|Chicago|US|2014-09-01|2400",
    "AUS-01|Austin|US|2019-03-22|1200",
    "DRS-01|Dresden|DE|2011-11-11|980",
    "MUC-01|München|DE|2016-04-02|1640",
    "LYS-01|Lyon|FR|2018-10-05|1100",
    "MIL-01|Milano|IT|2020-02-15|870",
    "BCN-01|Barcelona|ES|2021-06-30|1320",
)
STORE_IDS = [line.split("|")[0] for line in STORES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that is sold."""

    sku: str
    name: str
    category: str
    price_cents: int


def _product(line: str) -> Product:
    sku, name, category, cents = line.split("|")
    return Product(sku=sku, name=name, category=category, price_cents=int(cents))


PRODUCTS = [
    _product(line)
    for line in (
        "KB-101|Keyboard, compact|Accessories|4990",
        "KB-220|Keyboard, mechanical|Accessories|12900",
        "MS-114|Mouse, wireless|Accessories|2995",
        "HS-300|Headset|Audio|7990",
        "SP-512|Speaker pair|Audio|14950",
        "MC-077|Microphone|Audio|9900",
        'MN-270|Monitor 27"|Displays|28900',
        'MN-320|Monitor 32" 4K|Displays|54900',
        "AR-001|Monitor arm|Displays|11900",
        "LT-140|Laptop 14|Computers|129900",
        "LT-160|Laptop 16 Pro|Computers|214900",
        "MP-010|Mini PC|Computers|64900",
        "DK-019|Docking station|Accessories|18900",
        "SD-100|SSD 1 TB|Storage|8490",
        "SD-400|SSD 4 TB|Storage|27900",
        "ND-208|NAS 8 bays|Storage|89900",
        "RT-060|Router Wi-Fi 7|Network|22900",
        "SW-024|Switch 24 ports|Network|31900",
    )
]
