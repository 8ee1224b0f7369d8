"""How the demo's senders write their files, as the mappings of its deployment.

Belongs here: declarations as data. Does not belong here: the deliveries (generate).
"""

from __future__ import annotations

ISSUED = {"pattern": r"_issued-(\d{8}T\d{4})", "format": "%Y%m%dT%H%M"}
NL = {"delimiter": ";", "decimal": ","}
DAY = "%d-%m-%Y"
SERVICES = {"schoonmaak": "cleaning", "catering": "catering", "beveiliging": "security"}
REPORT = {
    "contractor_id": {"from": "Opdrachtnemer"},
    "contract_id": {"from": "Contract"},
    "service_code": {"from": "Dienst", "codes": SERVICES},
    "period_from": {"from": "Van", "format": DAY},
    "period_to": {"from": "Tot", "format": DAY},
    "metric_code": {"value": "sickness_absence_hours"},
    "definition_code": {"value": "cbs"},
    "reporting_scope_code": {"value": "contract"},
    "numerator": {"from": "Verzuimuren"},
    "denominator": {"from": "Beschikbare uren"},
    "person_count": {"from": "Personen"},
}
MAPPINGS = {
    "klant__party": (
        "organisaties_*.csv",
        {
            "party_id": {"from": "KvK"},
            "party_name": {"from": "Naam"},
            "role_code": {"from": "Rol", "codes": {"opdrachtgever": "client", "opdrachtnemer": "contractor"}},
        },
    ),
    "klant__site": (
        "locaties_*.csv",
        {
            "site_id": {"from": "Locatie"},
            "site_name": {"from": "Naam"},
            "client_id": {"from": "Opdrachtgever"},
            "place_name": {"from": "Plaats"},
            "tenure_code": {"from": "Eigendom", "codes": {"eigendom": "owned", "huur": "rented"}},
            "floor_area_go_m2": {"from": "GO m2"},
            "floor_area_vvo_m2": {"from": "VVO m2"},
            "floor_area_bvo_m2": {"from": "BVO m2"},
            "in_use_from": {"from": "In gebruik vanaf", "format": DAY},
            "in_use_to": {"from": "In gebruik tot", "format": DAY},
        },
    ),
    "klant__site_month": (
        "bezetting_*.csv",
        {
            "site_id": {"from": "Locatie"},
            "month": {"from": "Maand", "format": "%Y-%m"},
            "fte": {"from": "FTE"},
            "person_count": {"from": "Personen"},
        },
    ),
    "meetbedrijf__meter": (
        "meters_*.csv",
        {
            "meter_id": {"from": "EAN"},
            "site_id": {"from": "Locatie"},
            "carrier_code": {"from": "Energiedrager", "codes": {"elektriciteit": "electricity"}},
            "unit_code": {"from": "Eenheid"},
            "interval_minutes": {"from": "Interval"},
            "valid_from": {"from": "Vanaf", "format": DAY},
            "valid_to": {"from": "Tot", "format": DAY},
        },
    ),
    "meetbedrijf__meter_reading": (
        "*kwartierwaarden_*.csv*",
        {
            "meter_id": {"from": "EAN"},
            "register_code": {"value": "1.8.0"},
            "kind_code": {"value": "interval"},
            "stamp": {"from": "Tijdstip", "format": "%d-%m-%Y %H:%M"},
            "quantity": {"from": "Verbruik", "unit": "kWh"},
            "reading_status_code": {"from": "Status", "codes": {"Gemeten": "measured", "Gecorrigeerd": "corrected"}},
        },
    ),
    "inzamelaar__waste_collection": (
        "ledigingen_*.csv",
        {
            "collector_id": {"from": "Inzamelaar"},
            "site_id": {"from": "Locatie"},
            "period_from": {"from": "Datum lediging", "format": DAY},
            "period_to": {"from": "Datum lediging", "format": DAY, "shift": "1 day"},
            "stream_code": {
                "from": "Afvalstroom",
                "codes": {"Restafval": "residual", "Papier": "paper", "Swill": "organic", "PMD": "pmd"},
            },
            "container_code": {"from": "Container"},
            "treatment_code": {
                "from": "Verwerking",
                "codes": {"verbranding": "energy_recovery", "recycling": "recycling"},
            },
            "mass_kg": {"from": "Gewicht (kg)", "unit": "kg"},
            "is_weighed": {"from": "Gewogen"},
        },
    ),
    "opdrachtnemers__supplier_report": ("verzuim_*.csv", REPORT),
    "verzuimbureau__supplier_report": ("verzuim_*.csv", REPORT),
    "klant__contract": (
        "contracten_*.csv",
        {
            "contract_id": {"from": "Contract"},
            "contract_name": {"from": "Naam"},
            "client_id": {"from": "Opdrachtgever"},
            "contractor_id": {"from": "Opdrachtnemer"},
            "service_code": {"from": "Dienst", "codes": SERVICES},
            "annual_value_eur": {"from": "Jaarwaarde"},
            "valid_from": {"from": "Vanaf", "format": DAY},
            "valid_to": {"from": "Tot", "format": DAY},
            "report_due_days": {"from": "Aanlevertermijn"},
        },
    ),
    "klant__chain": (
        "ketens_*.csv",
        {
            "chain_id": {"from": "Keten"},
            "chain_name": {"from": "Naam"},
            "client_id": {"from": "Opdrachtgever"},
            "contractor_id": {"from": "Opdrachtnemer"},
            "service_code": {"from": "Dienst"},
            "start_decision_on": {"from": "Start", "format": DAY},
            "ended_on": {"from": "Einde", "format": DAY},
        },
    ),
    "klant__milestone": (
        "mijlpalen_*.csv",
        {
            "chain_id": {"from": "Keten"},
            "requirement_code": {"from": "Eis"},
            "planned_on": {"from": "Gepland", "format": DAY},
            "met_on": {"from": "Gehaald", "format": DAY},
            "evidence": {"from": "Bewijs"},
            "owner_role": {"from": "Rol"},
        },
    ),
}
